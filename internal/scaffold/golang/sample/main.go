package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

type door struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type badge struct {
	Number string   `json:"number"`
	Holder string   `json:"holder"`
	Email  string   `json:"email"`
	Doors  []string `json:"doors"`
}

func doors() []door {
	return []door{{"d1", "Front door"}, {"d2", "Laboratory"}, {"d3", "Vault"}}
}

func badges() []badge {
	return []badge{
		{"7", "Ada Example", "ada@example.com", []string{"d1", "d2", "d3"}},
		{"8", "Bo Example", "bo@example.com", []string{"d1"}},
		{"9", "Chris Example", "chris@example.com", []string{"d1", "d2"}},
	}
}

// pageSize is small, so that there is more than one page to read.
const pageSize = 2

func main() {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{Handler: handler(), ReadHeaderTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, server.Serve(listener))
	os.Exit(1)
}

// handler answers the token let-me-in everything, without-PERMISSION all but that, and
// slow-down two calls of three.
func handler() http.Handler {
	var calls atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /site", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := token(w, r); ok {
			answer(w, map[string]string{"id": "site-1", "name": "Head office", "client": "token-1"})
		}
	})
	list := func(name, permission string, count int, some func(from, to int) any) {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			held, ok := token(w, r)
			switch {
			case !ok:
				return
			case held == "without-"+permission:
				http.Error(w, "forbidden", http.StatusForbidden)
				return
			case held == "slow-down" && calls.Add(1)%3 == 0:
				w.Header().Set("Retry-After", "1")
				http.Error(w, "slow down", http.StatusTooManyRequests)
				return
			}
			from, err := strconv.Atoi("0" + r.URL.Query().Get("after"))
			if err != nil {
				http.Error(w, "after is no number", http.StatusBadRequest)
				return
			}
			from = min(from, count)
			to, next := min(from+pageSize, count), ""
			if to < count {
				next = strconv.Itoa(to)
			}
			answer(w, map[string]any{name: some(from, to), "next": next})
		})
	}
	list("doors", "doors:read", len(doors()), func(from, to int) any { return doors()[from:to] })
	list("badges", "badges:read", len(badges()), func(from, to int) any { return badges()[from:to] })
	return mux
}

// token returns the request's token, or refuses it.
func token(w http.ResponseWriter, r *http.Request) (held string, ok bool) {
	held = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if held == "let-me-in" || held == "slow-down" || strings.HasPrefix(held, "without-") {
		return held, true
	}
	http.Error(w, "who are you?", http.StatusUnauthorized)
	return "", false
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // whoever asked has gone away
}
