package process

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector/wire"
)

// misbehave speaks the protocol up to the read, and does then what its name says.
func misbehave(how string, in *bufio.Reader, out io.Writer) {
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			if how == "stays" {
				time.Sleep(time.Hour)
			}
			return
		}
		var m wire.Message
		if json.Unmarshal([]byte(line), &m) != nil {
			os.Exit(3)
		}
		switch m.Type {
		case wire.Hello:
			switch how {
			case "old":
				say(`{"type":"hello","protocol":99,"contract":"1"}`)
			case "mute":
				time.Sleep(time.Hour)
			case "no hello":
				say(`{"type":"result","id":1}`)
			default:
				say(`{"type":"hello","protocol":1,"contract":"1"}`)
			}
		case wire.Describe:
			manifest := shelf{}.Manifest()
			if how == "changed" {
				manifest.Version = "2.0.0"
			}
			raw, err := json.Marshal(manifest)
			if err != nil {
				os.Exit(4)
			}
			say(`{"type":"result","id":%d,"result":%s}`, m.ID, raw)
		case wire.Open, wire.Check, wire.Plan:
			say(`{"type":"result","id":%d,"result":{}}`, m.ID)
		case wire.Read:
			misread(how, m.ID, in, say)
		}
	}
}

// misread answers a read wrongly.
func misread(how string, id int64, in *bufio.Reader, say func(string, ...any)) {
	page := fmt.Sprintf(`{"type":"page","id":%d,"page":{"entities":[{"kind":"Account","id":"1"}],"next":"1"}}`, id)
	switch how {
	case "no JSON":
		say("Traceback: no such file")
	case "unknown field":
		say(`{"type":"page","id":%d,"page":{"entites":[]}}`, id)
	case "no UTF-8":
		say("{\"type\":\"log\",\"text\":\"\xff\"}")
	case "long line":
		say(`{"type":"log","text":"%s"}`, strings.Repeat("a", wire.MaxLineBytes))
	case "endless line":
		for {
			fmt.Print(strings.Repeat("a", 1<<20))
		}
	case "wrong call":
		say(`{"type":"result","id":%d}`, id+1)
	case "wrong order":
		say(`{"type":"hello","id":%d,"protocol":1,"contract":"1"}`, id)
	case "unknown category":
		say(`{"type":"error","id":%d,"error":{"category":"tired","message":"no"}}`, id)
	case "silence":
		time.Sleep(time.Hour)
	case "flood":
		for {
			say(`{"type":"log","text":"again"}`)
		}
	case "stderr flood":
		fmt.Fprint(os.Stderr, strings.Repeat("the secret is hunter2hunter2\n", 20_000))
		say(`{"type":"result","id":%d}`, id)
	case "exit":
		say("%s", page)
		fmt.Fprintln(os.Stderr, "out of luck")
		os.Exit(7)
	case "exit in mid-line":
		fmt.Print(page[:40])
		os.Exit(7)
	case "exit after a page":
		say("%s", page)
		_, _ = in.ReadString('\n')
		os.Exit(0)
	case "deaf to cancel":
		say("%s", page)
		time.Sleep(time.Hour)
	case "spins":
		for {
			id++
		}
	case "eats memory":
		var all [][]byte
		for {
			piece := make([]byte, 16<<20)
			for i := 0; i < len(piece); i += 4096 {
				piece[i] = 1
			}
			all = append(all, piece)
			if len(all) > 1<<16 {
				return
			}
		}
	case "leaves children":
		// A child in a session of its own, which outlives a group of processes.
		child := exec.Command("/bin/sh", "-c", "setsid sleep 3600 & sleep 3600")
		if err := child.Start(); err != nil {
			say(`{"type":"error","id":%d,"error":{"category":"internal","message":%q}}`, id, err.Error())
			return
		}
		say(`{"type":"log","text":"child %d"}`, child.Process.Pid)
		time.Sleep(time.Hour)
	case "forks":
		for n := 0; ; n++ {
			if err := exec.Command("/bin/sleep", "3600").Start(); err != nil {
				say(`{"type":"error","id":%d,"error":{"category":"internal","message":"no more than %d: %s"}}`, id, n, strings.ReplaceAll(err.Error(), `"`, "'"))
				return
			}
		}
	case "looks around":
		lookAround(id, say)
	}
}
