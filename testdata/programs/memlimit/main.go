// Memlimit has one planted problem: the limit of the memory (GOMEMLIMIT) is
// just above what the program keeps in its cache, so that the collector runs
// all the time, and whoever allocates must help it.
package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"gotrace.test/programs/rec"
)

type entry struct {
	next *entry
	text [6]uint64
}

var (
	cache   [8]*entry
	results [3]string
)

func main() {
	for i := range cache {
		for j := 0; j < 40_000; j++ {
			cache[i] = &entry{next: cache[i]}
		}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.SetMemoryLimit(int64(m.Sys-m.HeapReleased-m.HeapIdle) + 3<<20)
	rec.Main(run)
}

func run() {
	var wg sync.WaitGroup
	for i := range results {
		i := i
		wg.Add(1)
		go func() {
			defer wg.Done()
			for request := 0; request < 9; request++ {
				results[i] = render(200)
			}
		}()
	}
	wg.Wait()
}

// render makes a page from lines, each time copying all that is there.
//
//go:noinline
func render(lines int) string {
	page := ""
	for i := 0; i < lines; i++ {
		page += strings.Repeat("x", 40) + "\n"
	}
	return page
}
