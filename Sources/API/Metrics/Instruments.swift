import Synchronization

/// Counts what happens. Any thread, no waiting.
final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func add(_ amount: Int = 1) { value.add(amount, ordering: .relaxed) }

    var count: Int { value.load(ordering: .relaxed) }
}

/// Counts by a label with few values, all of them the code's own: nothing that a caller sends becomes a label.
final class LabelledCounter<Label: Hashable & Comparable & Sendable>: Sendable {
    private let values = Mutex<[Label: Int]>([:])

    /// Holds the lock for as long as it takes to find one entry of a small table.
    func add(_ label: Label, _ amount: Int = 1) { values.withLock { $0[label, default: 0] += amount } }

    /// In the order of the labels.
    var counts: [(label: Label, count: Int)] {
        values.withLock { $0 }.sorted { $0.key < $1.key }.map { (label: $0.key, count: $0.value) }
    }
}

/// How a quantity is spread: how many observations were at most each of the bounds, and their sum.
final class Histogram: Sendable {
    struct Snapshot: Sendable {
        /// For each bound the observations that were not above it; at the end all of them (`+Inf`).
        var cumulative: [Int]
        var sum: Double

        var count: Int { cumulative.last ?? 0 }
    }

    private struct State {
        var counts: [Int]
        var sum = 0.0
    }

    /// Ascending.
    let bounds: [Double]
    private let state: Mutex<State>

    init(_ bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// One lock for bucket and sum, so that what is scraped agrees with itself.
    func observe(_ value: Double) {
        let place = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.sum += value
        }
    }

    var snapshot: Snapshot {
        let state = state.withLock { $0 }
        var total = 0
        return Snapshot(
            cumulative: state.counts.map { count in
                total += count
                return total
            }, sum: state.sum)
    }
}

extension [Double] {
    /// From what is answered out of memory to what nobody should wait for.
    static let requestSeconds: Self = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// From a disk that lies to one that is worn.
    static let commitSeconds: Self = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
    static let batchWorks: Self = [1, 2, 4, 8, 16, 32, 64, 128, 256]
}
