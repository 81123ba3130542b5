//go:build go1.23

// Allocfree records the experimental events of heap spans, heap objects and
// goroutine stacks (GODEBUG=traceallocfree=1; it starts itself again with
// that setting): what exists at the start, what is allocated, what is freed.
// It does very little, for there is an event for every object.
package main

import (
	"os"
	"runtime"
	"sync"
	"syscall"

	"gotrace.test/programs/rec"
)

const setting = "traceallocfree=1"

type pair struct{ left, right *pair }

var keep *pair

func main() {
	if os.Getenv("GODEBUG") != setting {
		self, err := os.Executable()
		if err != nil {
			rec.Fail("%v", err)
		}
		os.Setenv("GODEBUG", setting)
		rec.Fail("%v", syscall.Exec(self, os.Args, os.Environ()))
	}
	rec.Main(run)
}

func run() {
	// With one P the sweeper and runtime.GC, which waits for it, take turns.
	runtime.GOMAXPROCS(1)
	keep = tree(6)
	runtime.GC()
	keep = nil
	blocks := make([][]byte, 4)
	for i := range blocks {
		blocks[i] = make([]byte, 64<<10)
	}
	clear(blocks)
	// Goroutines that need larger stacks.
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			deep(100)
		}()
	}
	wg.Wait()
	runtime.GC()
	runtime.GC() // the second one frees what the first one found
}

func tree(depth int) *pair {
	if depth == 0 {
		return nil
	}
	return &pair{tree(depth - 1), tree(depth - 1)}
}

//go:noinline
func deep(n int) int {
	var frame [64]int
	if n > 0 {
		frame[n%64] = deep(n - 1)
	}
	return frame[(n*7)%64] + 1
}
