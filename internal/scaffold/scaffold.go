package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse"
)

//go:embed golang/*.go golang/sample/*.go golang/verify.json golang/go.mod.txt golang/contract.mod.txt golang/README.md
var golang embed.FS

//go:embed python/*.py python/verify.json python/README.md
var python embed.FS

// Languages are those that there are.
func Languages() []string { return []string{"go", "python"} }

// Files returns what is written for a language, by path with slashes.
func Files(language string) (map[string][]byte, error) {
	files := map[string][]byte{}
	var err error
	switch language {
	case "python":
		err = add(files, python, "python", "")
	case "go":
		err = errors.Join(add(files, golang, "golang", ""), add(files, gatehouse.ContractSource, ".", "gatehouse"))
		move(files, "go.mod.txt", "go.mod")
		move(files, "contract.mod.txt", "gatehouse/go.mod")
	default:
		return nil, fmt.Errorf("there is no template for %q; there are %s", language, strings.Join(Languages(), " and "))
	}
	return files, err
}

// add adds the files below a folder, without tests.
func add(files map[string][]byte, from fs.FS, folder, to string) error {
	return fs.WalkDir(from, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		files[path.Join(to, strings.TrimPrefix(name, folder+"/"))] = text
		return nil
	})
}

func move(files map[string][]byte, from, to string) {
	files[to] = files[from]
	delete(files, from)
}

// Write writes the files of a language into a folder, which it makes, and returns
// their paths in order. A folder that has something in it is an error, and is left as
// it is.
func Write(folder, language string) ([]string, error) {
	files, err := Files(language)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // source is for everybody
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("look into the folder: %w", err)
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("%s is not empty; name a folder that is new", folder)
	}
	var written []string
	for name, text := range files {
		full := filepath.Join(folder, filepath.FromSlash(name))
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(string(text), "#!") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil { //nolint:gosec // source is for everybody
			return nil, fmt.Errorf("make a folder: %w", err)
		}
		if err := os.WriteFile(full, text, mode); err != nil {
			return nil, fmt.Errorf("write: %w", err)
		}
		written = append(written, name)
	}
	slices.Sort(written)
	return written, nil
}
