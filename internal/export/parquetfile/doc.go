// Package parquetfile writes tables as Apache Parquet, compressed with Zstandard.
//
// Every column is optional, but lists, which are empty where there is nothing.
// Texts, moments (microseconds, UTC), lists and JSON carry Parquet's logical types,
// so that readers know them for what they are. Row groups are small: what is in
// memory at a time is one of them.
package parquetfile
