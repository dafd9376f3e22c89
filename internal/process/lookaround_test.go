package process

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// lookAround answers a read with an error that says what the program finds around it.
func lookAround(id int64, say func(string, ...any)) {
	var found []string
	found = append(found, fmt.Sprintf("environment=%d", len(os.Environ())))
	descriptors := 0
	for fd := 3; fd < 256; fd++ {
		if target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil && !strings.Contains(target, "anon_inode") && !strings.HasPrefix(target, "/proc") && !strings.HasPrefix(target, "/sys") {
			descriptors++
		}
	}
	found = append(found, fmt.Sprintf("descriptors=%d", descriptors))
	conn, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", os.Getenv("none")+"192.0.2.1:80")
	if err == nil {
		_ = conn.Close()
		err = fmt.Errorf("connected")
	}
	interfaces, _ := net.Interfaces()
	names := make([]string, len(interfaces))
	for i, one := range interfaces {
		names[i] = one.Name
	}
	found = append(found, "interfaces="+strings.Join(names, ","), fmt.Sprintf("network=%v", err))
	found = append(found, fmt.Sprintf("root=%v", os.Geteuid() == 0), fmt.Sprintf("pid=%d", os.Getpid()))
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "CapEff:") || strings.HasPrefix(line, "NoNewPrivs:") {
			found = append(found, strings.Join(strings.Fields(line), ""))
		}
	}
	say(`{"type":"error","id":%d,"error":{"category":"internal","message":%q}}`, id, strings.Join(found, " "))
}
