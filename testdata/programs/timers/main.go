// Timers waits for time in all its forms: Sleep, Timer, Ticker, AfterFunc,
// context deadlines, a network deadline.
package main

import (
	"context"
	"net"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const tick = 2 * time.Millisecond

func main() { rec.Main(run) }

func run() {
	var wg sync.WaitGroup
	start := func(f func()) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f()
		}()
	}
	start(sleeper)
	start(timer)
	start(ticker)
	start(afterFunc)
	start(deadline)
	start(netDeadline)
	wg.Wait()
}

func sleeper() {
	for i := 1; i <= 8; i++ {
		time.Sleep(time.Duration(i) * tick / 4)
	}
}

// timer resets one timer again and again, and stops another in time.
func timer() {
	never := time.NewTimer(time.Hour)
	t := time.NewTimer(tick)
	for i := 0; i < 8; i++ {
		<-t.C
		t.Reset(tick)
	}
	t.Stop()
	never.Stop()
}

func ticker() {
	t := time.NewTicker(tick)
	defer t.Stop()
	for i := 0; i < 8; i++ {
		<-t.C
	}
}

// afterFunc: every function starts the next, each in a new goroutine that the
// runtime creates from a timer.
func afterFunc() {
	done := make(chan struct{})
	var step func(n int)
	step = func(n int) {
		if n == 0 {
			close(done)
			return
		}
		time.AfterFunc(tick, func() { step(n - 1) })
	}
	step(8)
	<-done
}

// deadline: a parent context that ends before its children would.
func deadline() {
	parent, cancel := context.WithTimeout(context.Background(), 3*tick)
	defer cancel()
	var wg sync.WaitGroup
	for i := 0; i < 3; i++ {
		ctx, cancel := context.WithTimeout(parent, time.Duration(i+1)*2*tick)
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer cancel()
			<-ctx.Done()
		}()
	}
	wg.Wait()
}

// netDeadline reads from a connection which never says anything.
func netDeadline() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		rec.Fail("%v", err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		rec.Fail("%v", err)
	}
	defer conn.Close()
	for i := 0; i < 3; i++ {
		conn.SetReadDeadline(time.Now().Add(2 * tick))
		conn.Read(make([]byte, 1))
	}
}
