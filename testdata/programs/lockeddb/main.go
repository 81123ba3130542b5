// Lockeddb has one planted problem: handlers look prices up in a cache, and
// keep its lock while they ask the database for those that are missing. One
// slow query, and all wait.
package main

import (
	"bufio"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const (
	handlers = 6
	requests = 8 // for each handler
)

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		rec.Fail("%v", err)
	}
	go serveDatabase(ln)
	sql.Register("toy", toyDriver{})
	db, err := sql.Open("toy", ln.Addr().String())
	if err != nil {
		rec.Fail("%v", err)
	}
	db.SetMaxIdleConns(handlers)
	if err := db.Ping(); err != nil {
		rec.Fail("%v", err)
	}
	p := &prices{db: db, cache: map[int]int64{}}
	rec.Main(p.run)
}

func (p *prices) run() {
	var wg sync.WaitGroup
	for h := 0; h < handlers; h++ {
		h := h
		wg.Add(1)
		go func() {
			defer wg.Done()
			for r := 0; r < requests; r++ {
				p.handle(h*requests + r)
			}
		}()
	}
	wg.Wait()
}

type prices struct {
	db    *sql.DB
	mu    sync.Mutex
	cache map[int]int64
}

func (p *prices) handle(article int) {
	price := p.lookup(article)
	rec.Spin(100 * time.Microsecond) // the page
	_ = price
}

// lookup should not keep the lock while it asks.
func (p *prices) lookup(article int) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if price, ok := p.cache[article]; ok {
		return price
	}
	price := p.load(article)
	p.cache[article] = price
	return price
}

func (p *prices) load(article int) (price int64) {
	if err := p.db.QueryRow("price", article).Scan(&price); err != nil {
		rec.Fail("%v", err)
	}
	return price
}

// serveDatabase answers each line after a millisecond.
func serveDatabase(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			lines := bufio.NewScanner(conn)
			for lines.Scan() {
				time.Sleep(time.Millisecond)
				fmt.Fprintln(conn, len(lines.Text()))
			}
		}()
	}
}

// A driver for database/sql that knows one kind of query: a line there, a
// number back.

type toyDriver struct{}

func (toyDriver) Open(address string) (driver.Conn, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &toyConn{conn: conn, lines: bufio.NewReader(conn)}, nil
}

type toyConn struct {
	conn  net.Conn
	lines *bufio.Reader
}

func (c *toyConn) Prepare(query string) (driver.Stmt, error) { return &toyStmt{c, query}, nil }
func (c *toyConn) Close() error                              { return c.conn.Close() }
func (c *toyConn) Begin() (driver.Tx, error)                 { return nil, errors.New("no transactions") }

type toyStmt struct {
	conn  *toyConn
	query string
}

func (s *toyStmt) Close() error  { return nil }
func (s *toyStmt) NumInput() int { return 1 }
func (s *toyStmt) Exec([]driver.Value) (driver.Result, error) {
	return nil, errors.New("only queries")
}

func (s *toyStmt) Query(args []driver.Value) (driver.Rows, error) {
	if _, err := fmt.Fprintln(s.conn.conn, s.query, args[0]); err != nil {
		return nil, err
	}
	line, err := s.conn.lines.ReadString('\n')
	if err != nil {
		return nil, err
	}
	var price int64
	fmt.Sscan(line, &price)
	return &toyRows{price: price}, nil
}

type toyRows struct {
	price int64
	done  bool
}

func (*toyRows) Columns() []string { return []string{"price"} }
func (*toyRows) Close() error      { return nil }

func (r *toyRows) Next(dest []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	dest[0] = r.price
	return nil
}
