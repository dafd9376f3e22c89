package graph

func init() {}
