//go:build cgo

// Cgo calls C functions that block, C functions that call back into Go, and
// starts threads in C that call Go: those goroutines appear in a system call
// and disappear in one.
package main

/*
#cgo LDFLAGS: -lpthread

void nap(int ms);
int roundtrip(int n);
int threads(int n);
*/
import "C"

import (
	"sync"
	"sync/atomic"
	"time"

	"gotrace.test/programs/rec"
)

func main() { rec.Main(run) }

var calls int32

// Back is what C calls.
//
//export Back
func Back(n C.int) C.int {
	atomic.AddInt32(&calls, 1)
	if n%2 == 1 {
		time.Sleep(time.Millisecond) // the callback itself may block
	}
	return n + 1
}

func run() {
	var wg sync.WaitGroup
	for i := 0; i < 3; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			C.nap(15) // long enough to lose the P
		}()
	}
	for i := 0; i < 8; i++ {
		C.roundtrip(C.int(i))
	}
	wg.Wait()
	for i := 0; i < 3; i++ {
		if C.threads(4) != 4 {
			rec.Fail("a thread did not come back")
		}
	}
	if calls != 8+3*4*2 {
		rec.Fail("%d callbacks", calls)
	}
}
