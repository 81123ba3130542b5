// Slowcalls spends its time in system calls that last: three writers wait for
// a pipe that is emptied slowly, each blocking a thread, because the pipe is
// read and written without the runtime's network poller.
package main

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"gotrace.test/programs/rec"
)

const (
	writers = 3
	blocks  = 6 // for each writer
)

func main() {
	if runtime.GOOS == "windows" {
		rec.Unsupported("pipes of system calls")
	}
	rec.Main(run)
}

func run() {
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		rec.Fail("%v", err)
	}
	var wg sync.WaitGroup
	for w := 0; w < writers; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for b := 0; b < blocks; b++ {
				save(fds[1])
				rec.Spin(100 * time.Microsecond)
			}
		}()
	}
	go func() {
		wg.Wait()
		syscall.Close(fds[1])
	}()
	drain(fds[0])
}

// save writes more than the pipe holds.
func save(fd int) {
	block := make([]byte, 96<<10)
	for len(block) > 0 {
		n, err := syscall.Write(fd, block)
		if err != nil && err != syscall.EINTR {
			rec.Fail("%v", err)
		}
		if n > 0 {
			block = block[n:]
		}
	}
}

func drain(fd int) {
	f := os.NewFile(uintptr(fd), "pipe")
	defer f.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := f.Read(buffer)
		if n == 0 || err != nil {
			return
		}
		time.Sleep(500 * time.Microsecond)
	}
}
