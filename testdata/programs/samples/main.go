// Samples runs the CPU profiler while tracing, so that the trace holds CPU
// samples: two goroutines with hot functions of different depth, one that
// makes many system calls, one that carries pprof labels.
package main

import (
	"context"
	"io"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const duration = 300 * time.Millisecond

func main() {
	rec.Start()
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		rec.Fail("%v", err)
	}
	var wg sync.WaitGroup
	for _, f := range []func(){hot, deep, syscalls, labelled} {
		f := f
		wg.Add(1)
		go func() {
			defer wg.Done()
			f()
		}()
	}
	wg.Wait()
	pprof.StopCPUProfile()
	rec.Stop()
}

//go:noinline
func hot() { rec.Spin(duration) }

func deep() { descend(20) }

//go:noinline
func descend(n int) uint64 {
	if n == 0 {
		return rec.Spin(duration)
	}
	return descend(n-1) + 1
}

// syscalls reads from /dev/zero, a megabyte a time: few, but busy, calls.
func syscalls() {
	f, err := os.Open("/dev/zero")
	if err != nil {
		rec.Fail("%v", err)
	}
	defer f.Close()
	buf := make([]byte, 8<<20)
	for end := time.Now().Add(duration); time.Now().Before(end); {
		if _, err := f.Read(buf); err != nil {
			rec.Fail("%v", err)
		}
	}
}

func labelled() {
	labels := pprof.Labels("work", "labelled")
	pprof.Do(context.Background(), labels, func(context.Context) { rec.Spin(duration) })
}
