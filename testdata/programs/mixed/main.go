// Mixed is a small order-processing service: a bit of everything a real
// program does. A feeder sends orders over a channel to four workers; every
// order is a task with regions and log messages; the workers share a stock
// behind a mutex, allocate, write to a file, and ask a price server over a
// loopback TCP connection. One collection is forced half way.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const (
	orders  = 40
	workers = 4
)

func main() { rec.Main(run) }

func run() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		rec.Fail("%v", err)
	}
	go servePrices(ln)

	journal, err := os.CreateTemp("", "gotrace-mixed")
	if err != nil {
		rec.Fail("%v", err)
	}
	defer os.Remove(journal.Name())
	defer journal.Close()

	s := &shop{stock: map[int]int{}, journal: journal}
	queue := make(chan order)
	done := make(chan int, workers)
	var wg sync.WaitGroup
	for i := 0; i < workers; i++ {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			rec.Fail("%v", err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer conn.Close()
			done <- s.work(conn, queue)
		}()
	}
	feed(queue)
	wg.Wait()
	ln.Close()
	total := 0
	for i := 0; i < workers; i++ {
		total += <-done
	}
	if total != orders {
		rec.Fail("%d orders done, want %d", total, orders)
	}
}

type order struct {
	id   int
	ctx  context.Context
	task *trace.Task
}

// feed makes the orders, one a millisecond, and forces a collection half way.
func feed(queue chan<- order) {
	defer close(queue)
	for i := 0; i < orders; i++ {
		ctx, task := trace.NewTask(context.Background(), "order")
		trace.Logf(ctx, "order", "id=%d", i)
		queue <- order{i, ctx, task}
		time.Sleep(time.Millisecond)
		if i == orders/2 {
			trace.WithRegion(context.Background(), "collect", runtime.GC)
		}
	}
}

type shop struct {
	mu      sync.Mutex
	stock   map[int]int
	journal *os.File
}

// work handles orders until the queue is closed and says how many.
func (s *shop) work(conn net.Conn, queue <-chan order) (n int) {
	replies := bufio.NewReader(conn)
	for o := range queue {
		trace.WithRegion(o.ctx, "price", func() {
			fmt.Fprintf(conn, "%d\n", o.id)
			if _, err := replies.ReadString('\n'); err != nil {
				rec.Fail("%v", err)
			}
		})
		trace.WithRegion(o.ctx, "book", func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.stock[o.id%7]--
			rec.Spin(200 * time.Microsecond)
		})
		trace.WithRegion(o.ctx, "journal", func() {
			receipt := make([]byte, 4096)
			copy(receipt, fmt.Sprintf("order %d\n", o.id))
			s.journal.Write(receipt)
		})
		o.task.End()
		n++
	}
	return n
}

// servePrices answers every line with a price, after thinking a moment.
func servePrices(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			lines := bufio.NewScanner(conn)
			for lines.Scan() {
				time.Sleep(500 * time.Microsecond)
				fmt.Fprintf(conn, "price of %s\n", lines.Text())
			}
		}()
	}
}
