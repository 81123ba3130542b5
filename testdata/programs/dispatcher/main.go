// Dispatcher has one goroutine through which everything must go: it reads and
// parses every message itself before it hands it to one of five workers, which
// have next to nothing left to do.
package main

import (
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const (
	workers  = 5
	messages = 300
)

func main() { rec.Main(run) }

func run() {
	parsed := make(chan uint64)
	var wg sync.WaitGroup
	for w := 0; w < workers; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for m := range parsed {
				store(m)
			}
		}()
	}
	wg.Add(1)
	go func() {
		defer wg.Done()
		dispatch(parsed)
	}()
	wg.Wait()
}

func dispatch(parsed chan<- uint64) {
	defer close(parsed)
	for i := 0; i < messages; i++ {
		parsed <- parse()
	}
}

//go:noinline
func parse() uint64 { return rec.Spin(150 * time.Microsecond) }

//go:noinline
func store(m uint64) { rec.Spin(10 * time.Microsecond) }
