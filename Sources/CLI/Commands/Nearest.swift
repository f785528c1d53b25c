/// The word somebody probably meant.
package enum Nearest {
    /// The known word that differs least, if it is near enough to be meant.
    package static func to(_ word: String, among known: some Sequence<String>) -> String? {
        let word = word.lowercased()
        let scored = known.map { (word: $0, distance: distance(word, $0.lowercased())) }
        guard let best = scored.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }) else { return nil }
        let isBeginning = word.utf8.count >= 2 && best.word.hasPrefix(word)
        if let longer = scored.filter({ word.utf8.count >= 2 && $0.word.hasPrefix(word) }).map(\.word).min() {
            return best.distance <= 1 ? best.word : longer
        }
        return isBeginning || best.distance <= max(1, min(3, word.utf8.count / 2)) ? best.word : nil
    }

    /// Insertions, deletions, changes and swaps of neighbours (Damerau, restricted).
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        var before: [Int] = []
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var next = [index + 1]
            for column in right.indices {
                var cost = min(row[column] + (byte == right[column] ? 0 : 1), row[column + 1] + 1, next[column] + 1)
                if index > 0, column > 0, byte == right[column - 1], left[index - 1] == right[column] {
                    cost = min(cost, before[column - 1] + 1)
                }
                next.append(cost)
            }
            (before, row) = (row, next)
        }
        return row[right.count]
    }
}
