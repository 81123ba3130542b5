// Hotlock has one planted problem: eight workers classify words in parallel,
// but keep the lock of the shared table while they do the work, so that only
// one of them works at a time.
package main

import (
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const (
	workers = 8
	words   = 40 // for each worker
)

func main() { rec.Main(run) }

func run() {
	t := &table{counts: map[uint64]int{}}
	var wg sync.WaitGroup
	for w := 0; w < workers; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < words; i++ {
				t.add()
			}
		}()
	}
	wg.Wait()
}

type table struct {
	mu     sync.Mutex
	counts map[uint64]int
}

// add classifies a word and counts it; the lock is needed for the counting
// only.
func (t *table) add() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[classify()%16]++
}

//go:noinline
func classify() uint64 { return rec.Spin(150 * time.Microsecond) }
