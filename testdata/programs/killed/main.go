// Killed kills itself (SIGKILL) in the middle of writing its trace, in its
// second generation: the file ends within a batch, and whatever was not yet
// written is lost.
package main

import (
	"os"
	"runtime/trace"
	"syscall"
	"time"

	"gotrace.test/programs/rec"
)

func main() {
	if err := trace.Start(&dying{rec.Create(), time.Now().Add(1500 * time.Millisecond)}); err != nil {
		rec.Fail("%v", err)
	}
	// Old releases write only full buffers. Should none get full, the file ends
	// after the header.
	time.AfterFunc(10*time.Second, kill)

	ball := make(chan int)
	for i := 0; i < 3; i++ {
		go play(ball)
	}
	ball <- 0
	select {}
}

// A dying writer writes half of what it should the first time it is called
// after the end of its life, and takes the process with it.
type dying struct {
	file *os.File
	end  time.Time
}

func (d *dying) Write(data []byte) (int, error) {
	if time.Now().After(d.end) && len(data) > 1000 {
		d.file.Write(data[:len(data)/2])
		kill()
	}
	return d.file.Write(data)
}

func kill() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// play passes the ball on, and sometimes rests before.
func play(ball chan int) {
	for n := range ball {
		if n%20 == 0 {
			time.Sleep(4 * time.Millisecond)
		}
		ball <- n + 1
	}
}
