module github.com/gatehouse-project/gatehouse

go 1.26.0
