// Package quorum keeps what several masters must agree on: named facts, changed by one leader that the masters elect among
// themselves by Raft. A change counts when more than half of the masters have it on disk; so any minority of them may be
// killed, cut off or stand still, and nothing that was committed is lost.
//
// # Contract
//
//   - The members are a fixed list of addresses, the same at all of them. They reach each other over rpc, at the port at
//     which a member serves everything else: its host hands what comes for Methods to Handle.
//   - The host is told of each Term in which this member leads, with all facts committed before it, and of the end of the
//     term. Changes are committed in the name of a term: those of a term that is over are refused, even if this member
//     leads again.
//   - Commit returns nil only for what no later leader can miss. An error says nothing: the change may have been committed.
//   - The folder of a member is its own. One that is damaged, of a newer version or of other members is refused with its
//     path and the reason (DirError).
package quorum
