package output

import (
	"fmt"
	"io"
)

// Node is one line of a tree and what hangs below it.
type Node struct {
	Text     string
	Children []Node
}

// Tree prints a node and everything below it, each level indented under its
// parent. Lines are cut as [Table.Write] cuts them.
func Tree(w io.Writer, width int, root Node) error {
	return tree(w, width, root, "", "")
}

func tree(w io.Writer, width int, n Node, first, rest string) error {
	if _, err := fmt.Fprintln(w, cut(first+Clean(n.Text), width)); err != nil {
		return err
	}
	for i, child := range n.Children {
		branch, below := rest+"├─ ", rest+"│  "
		if i == len(n.Children)-1 {
			branch, below = rest+"└─ ", rest+"   "
		}
		if err := tree(w, width, child, branch, below); err != nil {
			return err
		}
	}
	return nil
}
