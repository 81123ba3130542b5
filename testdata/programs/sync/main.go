// Sync blocks goroutines in every way package sync and channels offer:
// Mutex, RWMutex, Cond, WaitGroup, Once, sync.Map, Pool; channel send,
// receive, close and select. Every section has its own region on the main
// goroutine, so that the waits can be told apart.
package main

import (
	"context"
	"runtime"
	"runtime/trace"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const tick = 300 * time.Microsecond

func main() {
	rec.Main(func() {
		section("mutex", mutex)
		section("rwmutex", rwmutex)
		section("cond", cond)
		section("waitgroup", waitgroup)
		section("once", once)
		section("map", syncMap)
		section("unbuffered", unbuffered)
		section("buffered", buffered)
		section("select", selects)
		section("close", closing)
		section("gosched", gosched)
	})
}

func section(name string, f func()) {
	trace.WithRegion(context.Background(), name, f)
}

// parallel runs n copies of f and waits for them.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		i := i
		wg.Add(1)
		go func() {
			defer wg.Done()
			f(i)
		}()
	}
	wg.Wait()
}

// mutex: six goroutines want one lock, each holds it a moment. The lock is
// held while sleeping, so the others really block.
func mutex() {
	var mu sync.Mutex
	n := 0
	parallel(6, func(int) {
		for i := 0; i < 4; i++ {
			mu.Lock()
			n++
			time.Sleep(tick)
			mu.Unlock()
		}
	})
}

// rwmutex: readers share, a writer waits for all of them.
func rwmutex() {
	var mu sync.RWMutex
	value := 0
	parallel(5, func(i int) {
		for j := 0; j < 4; j++ {
			if i == 0 {
				mu.Lock()
				value++
				time.Sleep(tick)
				mu.Unlock()
			} else {
				mu.RLock()
				_ = value
				time.Sleep(tick)
				mu.RUnlock()
			}
		}
	})
}

// cond: three goroutines wait for rounds which a fourth announces, by Signal
// and by Broadcast.
func cond() {
	var mu sync.Mutex
	c := sync.NewCond(&mu)
	round := 0
	parallel(4, func(i int) {
		if i == 3 {
			for r := 1; r <= 4; r++ {
				time.Sleep(2 * tick)
				mu.Lock()
				round = r
				mu.Unlock()
				if r == 2 {
					c.Signal() // wakes one of them; the next round wakes all
				} else {
					c.Broadcast()
				}
			}
			return
		}
		mu.Lock()
		for round < 4 {
			c.Wait()
		}
		mu.Unlock()
	})
}

// waitgroup: two goroutines wait for the same group.
func waitgroup() {
	var work sync.WaitGroup
	work.Add(3)
	for i := 0; i < 3; i++ {
		go func() {
			defer work.Done()
			time.Sleep(tick)
		}()
	}
	parallel(2, func(int) { work.Wait() })
}

// once: the first one does the work, the others wait for it.
func once() {
	var o sync.Once
	parallel(4, func(int) { o.Do(func() { time.Sleep(3 * tick) }) })
}

func syncMap() {
	var m sync.Map
	parallel(4, func(i int) {
		for j := 0; j < 20; j++ {
			m.LoadOrStore(j%5, i)
			if j%10 == 9 {
				m.Delete(j % 5)
				runtime.Gosched()
			}
		}
	})
}

// unbuffered: a slow sender lets the receiver wait, then a slow receiver lets
// the sender wait.
func unbuffered() {
	c := make(chan int)
	go func() {
		for i := 0; i < 5; i++ {
			time.Sleep(tick)
			c <- i
		}
		for i := 0; i < 5; i++ {
			c <- i
		}
		close(c)
	}()
	n := 0
	for range c {
		n++
		if n > 5 {
			time.Sleep(tick)
		}
	}
}

// buffered: a pipeline of three stages with small buffers.
func buffered() {
	a, b := make(chan int, 2), make(chan int, 2)
	go func() {
		for i := 0; i < 12; i++ {
			a <- i
		}
		close(a)
	}()
	go func() {
		for v := range a {
			b <- v * v
		}
		close(b)
	}()
	for range b {
		time.Sleep(tick / 2)
	}
}

// selects: a goroutine waits for whichever of three channels is first.
func selects() {
	a, b := make(chan int), make(chan string)
	quit := make(chan struct{})
	go func() {
		for i := 0; i < 6; i++ {
			time.Sleep(tick)
			if i%2 == 0 {
				a <- i
			} else {
				b <- "odd"
			}
		}
		close(quit)
	}()
	for {
		select {
		case <-a:
		case <-b:
		case <-quit:
			return
		}
	}
}

// closing: one close wakes five receivers at once.
func closing() {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := 0; i < 5; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
		}()
	}
	time.Sleep(tick)
	close(start)
	wg.Wait()
}

// gosched: goroutines that give up their turn.
func gosched() {
	parallel(4, func(int) {
		for i := 0; i < 5; i++ {
			runtime.Gosched()
		}
	})
}
