// Gc puts the garbage collector under pressure: a live heap of linked nodes
// that takes a while to mark, little headroom (GOGC=20), and goroutines that
// allocate faster than the background workers mark, so that they must assist.
// Then a finalizer and some large objects.
package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

type node struct {
	next    *node
	payload [7]uint64
}

var (
	live  [16]*node // never collected
	sink  [4]*node
	large []byte
)

func main() {
	debug.SetGCPercent(20)
	for i := range live {
		for j := 0; j < 8000; j++ {
			live[i] = &node{next: live[i]}
		}
	}
	rec.Main(run)
}

func run() {
	var wg sync.WaitGroup
	for i := range sink {
		i := i
		wg.Add(1)
		go func() {
			defer wg.Done()
			churn(i, 20000)
		}()
	}
	wg.Wait()

	// Large objects have spans of their own; after a megabyte or two of them
	// the next collection is due, which finds the finalizer.
	finalized := make(chan bool, 1)
	runtime.SetFinalizer(&node{}, func(*node) { finalized <- true })
	for {
		select {
		case <-finalized:
			return
		case <-time.After(100 * time.Microsecond):
			large = make([]byte, 100<<10)
		}
	}
}

// churn allocates n nodes and keeps the last hundred of them reachable.
func churn(slot, n int) {
	for i := 0; i < n; i++ {
		if i%100 == 0 {
			sink[slot] = nil
		}
		sink[slot] = &node{next: sink[slot]}
	}
}
