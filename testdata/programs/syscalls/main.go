// Syscalls shows short system calls (files, directories), calls that block so
// long that the monitor thread takes the P away (a read from a pipe, a
// sleep in the kernel), a signal, and the start of a process.
package main

import (
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"gotrace.test/programs/rec"
)

var child = flag.Bool("child", false, "be the process that is started")

func main() {
	flag.Parse()
	if *child {
		time.Sleep(5 * time.Millisecond)
		return
	}
	rec.Main(run)
}

func run() {
	var wg sync.WaitGroup
	for _, f := range []func(){files, blockingRead, kernelSleep, kernelSleep, busy, signals} {
		f := f
		wg.Add(1)
		go func() {
			defer wg.Done()
			f()
		}()
	}
	wg.Wait()
	start()
}

func check(err error) {
	if err != nil {
		rec.Fail("%v", err)
	}
}

// files writes, reads, lists and removes some files.
func files() {
	dir, err := os.MkdirTemp("", "gotrace-syscalls")
	check(err)
	defer os.RemoveAll(dir)
	for _, name := range []string{"a", "b", "c", "d"} {
		path := filepath.Join(dir, name)
		check(os.WriteFile(path, make([]byte, 100<<10), 0o666))
		_, err := os.ReadFile(path)
		check(err)
		f, err := os.Open(path)
		check(err)
		check(f.Sync())
		check(f.Close())
	}
	_, err = os.ReadDir(dir)
	check(err)
}

// blockingRead reads from a pipe the runtime's poller knows nothing about,
// three times; the other end waits 15 ms before it writes.
func blockingRead() {
	var p [2]int
	check(syscall.Pipe(p[:]))
	go func() {
		for i := 0; i < 3; i++ {
			time.Sleep(15 * time.Millisecond)
			syscall.Write(p[1], []byte("x"))
		}
		syscall.Close(p[1])
	}()
	buf := make([]byte, 1)
	for {
		n, err := syscall.Read(p[0], buf)
		if err == syscall.EINTR {
			continue
		}
		check(err)
		if n == 0 {
			break
		}
	}
	syscall.Close(p[0])
}

// kernelSleep sleeps in the kernel, not in the scheduler.
func kernelSleep() {
	for i := 0; i < 3; i++ {
		t := syscall.NsecToTimespec(int64(12 * time.Millisecond))
		syscall.Nanosleep(&t, nil)
	}
}

// busy wants the Ps the others leave behind.
func busy() {
	for i := 0; i < 10; i++ {
		done := make(chan uint64)
		go func() { done <- rec.Spin(2 * time.Millisecond) }()
		<-done
	}
}

// signals sends itself a signal and waits for it.
func signals() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	defer signal.Stop(c)
	check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	<-c
}

// start runs this program again, as a child that does nothing for 5 ms.
func start() {
	self, err := os.Executable()
	check(err)
	check(exec.Command(self, "-child").Run())
}
