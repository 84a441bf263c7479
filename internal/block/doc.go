// Package block is the BlockManager of a process: cached blocks in memory and on disk, pieces of broadcast values, big
// results, and the server and client by which processes pull immutable blocks and map outputs from each other.
package block
