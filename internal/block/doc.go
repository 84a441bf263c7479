// Package block keeps named, immutable blocks of a process and moves them to others.
//
// A Store has cached partitions, broadcasts and big results, in storage memory and on disk. A Handler serves blocks by
// ranges of bytes; a Client reads them as streams: many ranges are asked for ahead, each is checksummed, and what a broken
// connection lost is asked for again. Names are those of Spark: shuffle_<shuffle>_<map>_<from>_<to>, rdd_<id>_<partition>,
// broadcast_<id>, taskresult_<task>.
package block
