package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Check returns the violations in the module whose go.mod lies in dir, each as
// "file: what is wrong", sorted.
func Check(dir string) ([]string, error) {
	files, err := readModule(dir)
	if err != nil {
		return nil, err
	}
	var violations []string
	table := rules()
	for _, file := range files {
		violations = append(violations, checkFile(file)...)
		if !file.test() {
			violations = append(violations, checkImports(file, table)...)
		}
	}
	violations = append(violations, checkDocs(files)...)
	slices.Sort(violations)
	return slices.Compact(violations), nil
}

// checkFile checks what a file shows by itself.
func checkFile(file sourceFile) []string {
	var violations []string
	if file.generated {
		return nil
	}
	if file.lines > maxLines {
		violations = append(violations, fmt.Sprintf("%s: %d lines, more than %d: give each reason to change a file of its own", file.name, file.lines, maxLines))
	}
	for _, line := range file.inits {
		violations = append(violations, fmt.Sprintf("%s:%d: init function: call it from the composition root", file.name, line))
	}
	if slices.Contains(bannedNames(), strings.TrimSuffix(file.pkg, "_test")) {
		violations = append(violations, fmt.Sprintf("%s: package name %q says nothing about what is inside", file.name, file.pkg))
	}
	return violations
}

// checkImports checks a file's imports against its folder's rule.
func checkImports(file sourceFile, table []rule) []string {
	found, own, ok := ruleFor(file.folder(), table)
	if !ok {
		return []string{fmt.Sprintf("%s: no rule covers the folder %s: add one to internal/archtest/rules.go", file.name, file.folder())}
	}
	var violations []string
	for _, imported := range file.imports {
		if !found.allows(imported, own) {
			violations = append(violations, fmt.Sprintf("%s: imports %s, which %s must not", file.name, imported, own))
		}
	}
	return violations
}

// ruleFor returns the rule that covers the folder, and the folder that counts
// as its own: the rule's, with "*" filled in.
func ruleFor(folder string, table []rule) (found rule, own string, ok bool) {
	for _, candidate := range table {
		parent, each := strings.CutSuffix(candidate.folder, "/*")
		if !within(folder, parent) || (each && folder == parent) {
			continue
		}
		if !each {
			return candidate, parent, true
		}
		child, _, _ := strings.Cut(strings.TrimPrefix(folder, parent+"/"), "/")
		return candidate, path.Join(parent, child), true
	}
	return rule{}, "", false
}

// allows tells whether the rule lets packages of the folder own import the path.
func (r rule) allows(imported, own string) bool {
	refused := func(prefix string) bool { return within(imported, prefix) }
	if slices.ContainsFunc(r.never, refused) {
		return false
	}
	if local, ok := localFolder(imported); ok {
		inside := func(folder string) bool { return within(local, folder) }
		return inside(own) || slices.ContainsFunc(r.local, inside)
	}
	if standard(imported) {
		return true
	}
	return slices.ContainsFunc(r.external, func(prefix string) bool {
		return prefix == "*" || within(imported, prefix)
	})
}

// localFolder returns the folder of a package of this module.
func localFolder(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// standard tells whether the path is in the standard library, whose first
// element alone has no dot.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// within tells whether the path is the folder or lies below it.
func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}

// checkDocs wants a doc.go with a package comment in every folder that holds a
// written package. Folders with tests only, or generated files only, need none.
func checkDocs(files []sourceFile) []string {
	needed, documented := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		if !file.test() && !file.generated {
			needed[file.folder()] = true
		}
		if path.Base(file.name) == "doc.go" && file.documented {
			documented[file.folder()] = true
		}
	}
	var violations []string
	for folder := range needed {
		if !documented[folder] {
			violations = append(violations, folder+": no doc.go that says what the package is for")
		}
	}
	return violations
}
