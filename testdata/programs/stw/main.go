// Stw stops the world for every reason a program can give: GOMAXPROCS, memory
// statistics, all goroutines' stacks, a goroutine profile, a heap dump, a
// system call on all threads, a collection. Two goroutines keep working all
// the while, so that there is a world to stop.
package main

import (
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync/atomic"
	"syscall"
	"time"

	"gotrace.test/programs/rec"
)

func main() { rec.Main(run) }

func run() {
	var stop int32
	done := make(chan bool)
	for i := 0; i < 2; i++ {
		go func() {
			for atomic.LoadInt32(&stop) == 0 {
				rec.Spin(100 * time.Microsecond)
				time.Sleep(time.Millisecond)
			}
			done <- true
		}()
	}
	defer func() {
		atomic.StoreInt32(&stop, 1)
		<-done
		<-done
	}()

	for _, f := range []func(){
		func() { runtime.GOMAXPROCS(2) },
		func() { runtime.GOMAXPROCS(6) },
		func() { runtime.GOMAXPROCS(4) },
		func() { runtime.ReadMemStats(new(runtime.MemStats)) },
		func() { runtime.Stack(make([]byte, 64<<10), true) },
		func() { pprof.Lookup("goroutine").WriteTo(io.Discard, 0) },
		func() { pprof.Lookup("threadcreate").WriteTo(io.Discard, 0) },
		heapDump,
		allThreads,
		runtime.GC,
		func() { debug.SetGCPercent(50) },
		func() { debug.SetMemoryLimit(1 << 40) },
	} {
		time.Sleep(2 * time.Millisecond)
		f()
	}
}

func heapDump() {
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		rec.Fail("%v", err)
	}
	defer f.Close()
	debug.WriteHeapDump(f.Fd())
}

// allThreads makes every thread ask for its process ID. A program linked with
// C code must not do this; this one is not.
func allThreads() {
	syscall.AllThreadsSyscall(syscall.SYS_GETPID, 0, 0, 0)
}
