// Leak leaves goroutines behind that nothing will ever wake: receivers and
// senders nobody serves, nil channels, empty selects, locks nobody releases,
// groups nobody finishes, and a pair of goroutines that wait for each other's
// lock. Some of them exist before the trace starts.
package main

import (
	"net"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

func main() {
	leakReceivers(2) // older than the trace
	time.Sleep(2 * time.Millisecond)
	rec.Main(run)
}

func run() {
	leakReceivers(10)
	leakSenders()
	leakForever()
	leakLocks()
	leakConnection()
	deadlock()
	time.Sleep(30 * time.Millisecond)
}

// leakReceivers: the channel is forgotten, its receivers are not.
func leakReceivers(n int) {
	for i := 0; i < n; i++ {
		results := make(chan int)
		go func() { <-results }()
	}
}

// leakSenders: the classic; the reader takes the first answer only.
func leakSenders() {
	answers := make(chan int)
	for i := 0; i < 4; i++ {
		go func() {
			time.Sleep(time.Millisecond)
			answers <- i42()
		}()
	}
	<-answers
}

func i42() int { return 42 }

func leakForever() {
	go func() {
		var never chan int
		<-never
	}()
	go func() {
		var never chan int
		never <- 1
	}()
	go func() { select {} }()
	go func() {
		a, b := make(chan int), make(chan int)
		select {
		case <-a:
		case b <- 1:
		}
	}()
}

func leakLocks() {
	var mu sync.Mutex
	mu.Lock()
	go mu.Lock()
	var rw sync.RWMutex
	rw.RLock()
	go rw.Lock()
	var wg sync.WaitGroup
	wg.Add(1)
	go wg.Wait()
	c := sync.NewCond(new(sync.Mutex))
	go func() {
		c.L.Lock()
		c.Wait()
	}()
}

// leakConnection waits for a peer that never speaks.
func leakConnection() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		rec.Fail("%v", err)
	}
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		rec.Fail("%v", err)
	}
	go conn.Read(make([]byte, 1))
}

// deadlock: two locks, two goroutines, two orders.
func deadlock() {
	var a, b sync.Mutex
	lockBoth := func(first, second *sync.Mutex) {
		first.Lock()
		time.Sleep(2 * time.Millisecond)
		second.Lock()
	}
	go lockBoth(&a, &b)
	go lockBoth(&b, &a)
}
