// Overload has more work than processors: 24 goroutines that only compute, and
// one that should react every millisecond, and comes too late.
package main

import (
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const hashers = 24

func main() { rec.Main(run) }

func run() {
	stop := make(chan struct{})
	done := make(chan struct{})
	go heartbeat(stop, done)
	var wg sync.WaitGroup
	for i := 0; i < hashers; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			hash()
		}()
	}
	wg.Wait()
	close(stop)
	<-done
}

//go:noinline
func hash() {
	var n uint64
	for i := uint64(0); i < 30_000_000; i++ {
		n = n*31 + i
	}
	sink(n)
}

//go:noinline
func sink(uint64) {}

func heartbeat(stop, done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-stop:
			return
		}
	}
}
