//go:build go1.25

// Boundary makes the trace start new generations at awkward moments. Every
// snapshot of a flight recorder begins a new generation in every trace being
// recorded, so this program takes snapshots (and throws them away) while the
// collector marks, while goroutines assist it, and while they sweep. The
// generation then has to say at its start that these were going on.
package main

import (
	"io"
	"runtime"
	"runtime/debug"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"

	"gotrace.test/programs/rec"
)

type node struct {
	next    *node
	payload [15]uint64
}

var (
	live [4]*node
	sink [2]*node
	junk [2][]byte
)

func main() {
	debug.SetGCPercent(30)
	for i := range live {
		for j := 0; j < 20000; j++ {
			live[i] = &node{next: live[i]}
		}
	}
	fr := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
	if err := fr.Start(); err != nil {
		rec.Fail("%v", err)
	}
	rec.Start()
	runtime.GOMAXPROCS(2)
	snapshots(fr, 3, grow)
	live = [4]*node{}
	sink = [2]*node{}
	snapshots(fr, 9, litter)
	rec.Stop()
	fr.Stop()
}

// snapshots takes n snapshots while two goroutines run f again and again.
func snapshots(fr *trace.FlightRecorder, n int, f func(i int)) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i := range sink {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !stop.Load() {
				f(i)
			}
		}()
	}
	for i := 0; i < n; i++ {
		time.Sleep(2 * time.Millisecond)
		if _, err := fr.WriteTo(io.Discard); err != nil {
			rec.Fail("%v", err)
		}
	}
	stop.Store(true)
	wg.Wait()
}

// grow makes a list, and assists the collector in marking it and the live
// heap.
func grow(i int) {
	sink[i] = nil
	for j := 0; j < 1000; j++ {
		sink[i] = &node{next: sink[i]}
	}
}

// litter drops what it allocates: much to sweep and little to mark. The large
// block needs many pages in a row, for which the garbage has to be swept
// first.
func litter(i int) {
	for j := 0; j < 100; j++ {
		junk[i] = make([]byte, 8<<10)
	}
	junk[i] = make([]byte, 2<<20)
}
