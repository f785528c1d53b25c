/// The Merkle tree of RFC 6962, 2.1, with SHA-256: leaves and nodes are hashed apart, so that none can pass for the other.
package enum MerkleTree {
    package static let emptyRoot = SHA256.digest([])

    package static func leaf(_ bytes: some Sequence<UInt8>) -> [UInt8] { SHA256.digest([0] + bytes) }

    package static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { SHA256.digest([1] + left + right) }

    /// The ranges of leaves whose roots prove that a leaf is in the tree, from the leaf upwards.
    package static func siblings(of index: Int, in size: Int) -> [Range<Int>] {
        var (ranges, range): ([Range<Int>], Range<Int>) = ([], 0..<size)
        while range.count > 1 {
            let middle = range.lowerBound + largestPowerOfTwo(below: range.count)
            let (left, right) = (range.lowerBound..<middle, middle..<range.upperBound)
            let isLeft = index < middle
            ranges.append(isLeft ? right : left)
            range = isLeft ? left : right
        }
        return ranges.reversed()
    }

    static func largestPowerOfTwo(below count: Int) -> Int { 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount) }
}

/// A tree that only grows, kept as the roots of its full subtrees: as many as its size has ones in binary.
package struct MerkleFrontier: Sendable {
    private struct Subtree: Sendable {
        var level: Int
        var root: [UInt8]
    }

    private var subtrees: [Subtree] = []
    package private(set) var size = 0

    package init() {}

    /// - Parameter completed: Told of every full subtree that the leaf completes: its leaves and its root.
    package mutating func append(
        leaf: [UInt8], completed: (_ leaves: Range<Int>, _ root: [UInt8]) -> Void = { _, _ in }
    ) {
        var subtree = Subtree(level: 0, root: leaf)
        size += 1
        completed(size - 1..<size, leaf)
        while let last = subtrees.last, last.level == subtree.level {
            subtrees.removeLast()
            subtree = Subtree(level: subtree.level + 1, root: MerkleTree.node(last.root, subtree.root))
            completed(size - 1 << subtree.level..<size, subtree.root)
        }
        subtrees.append(subtree)
    }

    package var root: [UInt8] {
        guard let last = subtrees.last else { return MerkleTree.emptyRoot }
        return subtrees.dropLast().reversed().reduce(last.root) { MerkleTree.node($1.root, $0) }
    }
}

/// Collects, in one walk over the leaves, the roots that prove some of them.
package struct MerkleProofs: Sendable {
    private let size: Int
    private var wanted: Set<Range<Int>> = []
    private var full: [Range<Int>: [UInt8]] = [:]
    private var frontier = MerkleFrontier()

    /// - Parameter indices: The leaves to prove.
    package init(of indices: some Sequence<Int>, in size: Int) {
        self.size = size
        for index in indices { wanted.formUnion(MerkleTree.siblings(of: index, in: size)) }
        // At the right edge a range is not full: its root is made of those that are in it.
        var parts = Array(wanted)
        while let range = parts.popLast() {
            guard range.count & (range.count - 1) != 0 else {
                full[range] = []
                continue
            }
            let middle = range.lowerBound + MerkleTree.largestPowerOfTwo(below: range.count)
            parts += [range.lowerBound..<middle, middle..<range.upperBound]
        }
    }

    /// The next leaf; those beyond the tree's size are passed over.
    package mutating func append(leaf: [UInt8]) {
        guard frontier.size < size else { return }
        var full = full
        self.full = [:]
        frontier.append(leaf: leaf) { range, root in if full[range] != nil { full[range] = root } }
        self.full = full
    }

    package var root: [UInt8] { frontier.root }

    /// The roots, by where their leaves are.
    package var nodes: [(leaves: Range<Int>, root: [UInt8])] {
        wanted.sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }.map { ($0, root(of: $0)) }
    }

    private func root(of range: Range<Int>) -> [UInt8] {
        if let root = full[range] { return root }
        let middle = range.lowerBound + MerkleTree.largestPowerOfTwo(below: range.count)
        return MerkleTree.node(
            root(of: range.lowerBound..<middle), root(of: middle..<range.upperBound))
    }
}
