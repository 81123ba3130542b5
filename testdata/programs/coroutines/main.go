//go:build go1.23

// Coroutines pulls values out of iterators (iter.Pull): the runtime switches
// straight from one goroutine to the other. Iterators that run out, that are
// stopped early, that are never started, that block between two values, and
// one that is passed from goroutine to goroutine.
package main

import (
	"iter"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

func main() { rec.Main(run) }

func run() {
	exhausted()
	stopped()
	unused()
	blocking()
	nested()
	passed()
}

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// drain pulls until there is no more and says how many there were.
func drain(next func() (int, bool)) (n int) {
	for {
		if _, ok := next(); !ok {
			return n
		}
		n++
	}
}

func exhausted() {
	for i := 0; i < 10; i++ {
		next, stop := iter.Pull(upTo(20))
		if drain(next) != 20 {
			rec.Fail("wrong number of values")
		}
		stop()
	}
}

func stopped() {
	for i := 0; i < 5; i++ {
		next, stop := iter.Pull(upTo(20))
		next()
		next()
		stop()
	}
}

func unused() {
	_, stop := iter.Pull(upTo(20))
	stop()
}

// blocking: the coroutine itself sleeps and receives, so the goroutine that
// pulls waits with it.
func blocking() {
	feed := make(chan int)
	go func() {
		defer close(feed)
		for i := 0; i < 5; i++ {
			time.Sleep(time.Millisecond)
			feed <- i
		}
	}()
	next, stop := iter.Pull(func(yield func(int) bool) {
		for v := range feed {
			if !yield(v) {
				return
			}
		}
	})
	defer stop()
	drain(next)
}

// nested: a coroutine that pulls from another one.
func nested() {
	next, stop := iter.Pull(func(yield func(int) bool) {
		inner, stop := iter.Pull(upTo(10))
		defer stop()
		for {
			v, ok := inner()
			if !ok || !yield(v*v) {
				return
			}
		}
	})
	defer stop()
	drain(next)
}

// passed: four goroutines take turns with one iterator of pairs.
func passed() {
	next, stop := iter.Pull2(func(yield func(int, string) bool) {
		for i := 0; i < 12; i++ {
			if !yield(i, "value") {
				return
			}
		}
	})
	defer stop()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := 0; j < 3; j++ {
				mu.Lock()
				next()
				time.Sleep(100 * time.Microsecond)
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
}
