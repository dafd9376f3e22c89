package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// sourceFile is what the checks need to know of one Go file.
type sourceFile struct {
	// name is the path relative to the module's directory, with slashes.
	name      string
	pkg       string
	lines     int
	generated bool
	imports   []string
	// inits are the lines on which init functions are declared.
	inits []int
	// documented tells whether a comment introduces the package clause.
	documented bool
}

func (f sourceFile) folder() string { return path.Dir(f.name) }
func (f sourceFile) test() bool     { return strings.HasSuffix(f.name, "_test.go") }

// readModule reads the Go files of the module in dir, leaving out what the go
// command leaves out: testdata, hidden folders, and other modules inside.
func readModule(dir string) ([]sourceFile, error) {
	var files []sourceFile
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != dir && skipped(name, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		file, err := readFile(dir, name)
		if err != nil {
			return err
		}
		files = append(files, file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the module in %s: %w", dir, err)
	}
	return files, nil
}

func skipped(dir, base string) bool {
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func readFile(dir, name string) (sourceFile, error) {
	relative, err := filepath.Rel(dir, name)
	if err != nil {
		return sourceFile{}, err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return sourceFile{}, err
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return sourceFile{}, err
	}
	file := sourceFile{
		name:       filepath.ToSlash(relative),
		pkg:        parsed.Name.Name,
		lines:      bytes.Count(text, []byte("\n")),
		generated:  ast.IsGenerated(parsed),
		documented: parsed.Doc != nil,
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return sourceFile{}, err
		}
		file.imports = append(file.imports, imported)
	}
	for _, decl := range parsed.Decls {
		if function, ok := decl.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.Name == "init" {
			file.inits = append(file.inits, set.Position(function.Pos()).Line)
		}
	}
	return file, nil
}
