// Generations runs for 3.3 s with little to do: a trace starts a new
// generation about every second. Goroutines that sleep, wait, or stay in a
// system call over one or more of these borders have their state repeated at
// each of them; others end or begin close to one. The collector runs in some
// generations only.
package main

import (
	"context"
	"runtime/trace"
	"sync"
	"syscall"
	"time"

	"gotrace.test/programs/rec"
)

const duration = 3300 * time.Millisecond

var sink []byte

func main() { rec.Main(run) }

func run() {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	start := func(f func()) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f()
		}()
	}
	start(func() { <-quit })                 // waits from the first to the last
	start(func() { time.Sleep(duration) })   // sleeps as long
	start(func() { kernelSleep(duration) })  // so does this, in the kernel
	start(func() { rec.Spin(duration / 3) }) // is running at the first border
	start(func() { ticks(quit) })
	ctx, task := trace.NewTask(context.Background(), "all generations")
	for i := 0; i < 11; i++ {
		trace.WithRegion(ctx, "step", func() {
			done := make(chan bool)
			go func() {
				time.Sleep(duration / 22)
				close(done)
			}()
			<-done
			time.Sleep(duration / 22)
		})
		if i%4 == 2 {
			sink = make([]byte, 8<<20) // more than the heap may grow
		}
	}
	task.End()
	close(quit)
	wg.Wait()
}

func kernelSleep(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	for syscall.Nanosleep(&t, &t) == syscall.EINTR {
	}
}

func ticks(quit chan struct{}) {
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-quit:
			return
		}
	}
}
