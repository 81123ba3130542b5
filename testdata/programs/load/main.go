// Load makes large traces for benchmarks, fast: it works until the trace has
// about as many bytes as asked for.
//
//	load -o FILE [-kind mixed] [-bytes 50000000]
//
// The kinds are
//
//	goroutines  short-lived goroutines
//	threads     many threads, the Ps move between them (blocking system calls)
//	gc          allocation, collections, mark assists
//	syscalls    short system calls
//	regions     tasks, regions and logs
//	mixed       all of that, and channels, locks and timers
//
// It is never recorded by the record script: such traces are not committed.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/trace"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gotrace.test/programs/rec"
)

var (
	kind  = flag.String("kind", "mixed", "what to do: goroutines, threads, gc, syscalls, regions or mixed")
	bytes = flag.Int64("bytes", 50_000_000, "stop when the trace has about this many bytes")
)

// Every kind is a set of workers; each runs until stopped() says so.
var kinds = map[string][]func(){
	"goroutines": repeat(4, goroutines),
	"threads":    append(repeat(60, threads), repeat(4, chatter)...),
	"gc":         append(repeat(4, garbage), repeat(2, chatter)...),
	"syscalls":   repeat(4, syscalls),
	"regions":    repeat(4, regions),
	"mixed": join(repeat(2, goroutines), repeat(8, threads), repeat(1, garbage),
		repeat(1, syscalls), repeat(2, regions), repeat(2, chatter), repeat(2, locks), repeat(2, timers)),
}

func main() {
	flag.Parse()
	workers, ok := kinds[*kind]
	if !ok {
		var names []string
		for name := range kinds {
			names = append(names, name)
		}
		sort.Strings(names)
		rec.Fail("unknown kind %q: want one of %q", *kind, names)
	}
	if *kind == "gc" {
		debug.SetGCPercent(10)
	}
	f := rec.Create()
	runtime.GOMAXPROCS(8)
	w := &counter{w: bufio.NewWriterSize(f, 1<<20)}
	start := time.Now()
	if err := trace.Start(w); err != nil {
		rec.Fail("%v", err)
	}
	var wg sync.WaitGroup
	for _, work := range workers {
		wg.Add(1)
		go func(work func()) {
			defer wg.Done()
			work()
		}(work)
	}
	wg.Wait()
	trace.Stop()
	if err := w.w.Flush(); err != nil {
		rec.Fail("%v", err)
	}
	if err := f.Close(); err != nil {
		rec.Fail("%v", err)
	}
	fmt.Printf("kind %s bytes %d seconds %.2f\n", *kind, atomic.LoadInt64(&written), time.Since(start).Seconds())
}

// The trace is written by one goroutine of the runtime's; the workers look at
// how much it wrote.
var written int64

type counter struct{ w *bufio.Writer }

func (c *counter) Write(data []byte) (int, error) {
	atomic.AddInt64(&written, int64(len(data)))
	return c.w.Write(data)
}

func stopped() bool { return atomic.LoadInt64(&written) >= *bytes }

func repeat(n int, f func()) (fs []func()) {
	for i := 0; i < n; i++ {
		fs = append(fs, f)
	}
	return fs
}

func join(sets ...[]func()) (fs []func()) {
	for _, s := range sets {
		fs = append(fs, s...)
	}
	return fs
}

// goroutines starts a hundred at a time; every tenth has a child.
func goroutines() {
	for !stopped() {
		var wg sync.WaitGroup
		wg.Add(110)
		for i := 0; i < 100; i++ {
			go func(i int) {
				if i%10 == 0 {
					go wg.Done()
				}
				wg.Done()
			}(i)
		}
		wg.Wait()
	}
}

// threads blocks a thread in the kernel for a moment, so that its P is taken
// away.
func threads() {
	for !stopped() {
		t := syscall.NsecToTimespec(int64(200 * time.Microsecond))
		syscall.Nanosleep(&t, nil)
	}
}

type node struct {
	left, right *node
	payload     [6]uint64
}

// garbage builds trees and drops them; a larger one stays.
func garbage() {
	keep := tree(14)
	for !stopped() {
		tree(8)
	}
	runtime.KeepAlive(keep)
}

func tree(depth int) *node {
	if depth == 0 {
		return nil
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

// syscalls reads a byte of /dev/zero again and again, from places of
// different depth.
func syscalls() {
	f, err := os.Open("/dev/zero")
	if err != nil {
		rec.Fail("%v", err)
	}
	defer f.Close()
	buf := make([]byte, 1)
	for depth := 0; !stopped(); depth = (depth + 1) % 16 {
		readAt(f, buf, depth)
	}
}

//go:noinline
func readAt(f *os.File, buf []byte, depth int) {
	if depth > 0 {
		readAt(f, buf, depth-1)
		return
	}
	for i := 0; i < 50; i++ {
		f.Read(buf)
	}
}

// regions: a task with subtasks, each with nested regions and a log.
func regions() {
	for n := 0; !stopped(); n++ {
		ctx, task := trace.NewTask(context.Background(), "request")
		for i := 0; i < 4; i++ {
			ctx, step := trace.NewTask(ctx, "step")
			trace.WithRegion(ctx, "outer", func() {
				trace.WithRegion(ctx, "inner", func() {
					trace.Logf(ctx, "progress", "%d of 4", i)
				})
				runtime.Gosched()
			})
			step.End()
		}
		task.End()
	}
}

// chatter passes a message to and fro between two goroutines.
func chatter() {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v + 1
		}
		close(pong)
	}()
	for i := 0; !stopped(); i++ {
		ping <- i
		select {
		case <-pong:
		case <-time.After(time.Minute):
		}
	}
	close(ping)
	<-pong
}

// locks: three goroutines and a lock that is held while giving up the turn.
func locks() {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := 0; i < 3; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !stopped() {
				mu.Lock()
				runtime.Gosched()
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
}

func timers() {
	for !stopped() {
		time.Sleep(50 * time.Microsecond)
	}
}
