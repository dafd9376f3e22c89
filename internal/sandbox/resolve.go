package sandbox

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Resolve returns how a program is run: by an interpreter that is named or, for a
// script without one, by that of its first line, found now in this process's PATH,
// because the program will have none.
func Resolve(program string, interpreter []string) (Command, error) {
	absolute, err := filepath.Abs(program)
	if err != nil {
		return Command{}, err
	}
	first, err := firstLine(absolute)
	if err != nil {
		return Command{}, err
	}
	c := Command{Program: absolute, Interpreter: interpreter}
	if named, script := strings.CutPrefix(first, "#!"); script && len(interpreter) == 0 {
		if c.Interpreter = strings.Fields(named); len(c.Interpreter) == 0 {
			return c, fmt.Errorf("%s begins with #! and names no interpreter", program)
		}
		if filepath.Base(c.Interpreter[0]) == "env" {
			c.Interpreter = c.Interpreter[1:]
		}
		if len(c.Interpreter) == 0 || strings.HasPrefix(c.Interpreter[0], "-") {
			return c, fmt.Errorf("the first line of %s cannot be followed; name its interpreter with --interpreter", program)
		}
	}
	if len(c.Interpreter) > 0 {
		if c.Interpreter[0], err = find(c.Interpreter[0]); err != nil {
			return c, err
		}
	}
	return c, nil
}

// find returns the absolute path of an interpreter. Scripts that stand for another
// one, as version managers have, are passed over: they need an environment.
func find(name string) (string, error) {
	folders := []string{""}
	if !strings.ContainsRune(name, filepath.Separator) {
		folders = filepath.SplitList(os.Getenv("PATH"))
	}
	for _, folder := range folders {
		path, err := filepath.Abs(filepath.Join(folder, name))
		if err != nil {
			return "", err
		}
		info, err := os.Stat(path)
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			continue
		}
		if first, err := firstLine(path); err == nil && !strings.HasPrefix(first, "#!") {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no interpreter %s that is a program and not a script; name one with --interpreter", name)
}

// firstLine returns what could be the first line of a script.
func firstLine(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	const most = 256
	line, err := bufio.NewReader(io.LimitReader(file, most)).ReadString('\n')
	if err != nil && err != io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
		return "", err
	}
	return strings.TrimSpace(line), nil
}
