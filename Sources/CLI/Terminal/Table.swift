/// Rows for people on a terminal and for programs in a pipe.
package struct Table: Sendable {
    /// A place in the table: what a person sees, and what a program reads.
    package struct Cell: Hashable, Sendable {
        package var shown: String
        package var raw: String
        package var style: Style

        /// - Parameter shown: When it differs from what a program gets.
        package init(_ raw: String, shown: String? = nil, _ style: Style = .plain) {
            (self.raw, self.shown, self.style) = (raw, shown ?? raw, style)
        }
    }

    package struct Column: Hashable, Sendable {
        package var title: String
        package var isNumber: Bool
        /// Gives way when the screen is too narrow.
        package var isFlexible: Bool

        package init(_ title: String, isNumber: Bool = false, isFlexible: Bool = false) {
            (self.title, self.isNumber, self.isFlexible) = (title, isNumber, isFlexible)
        }
    }

    private static let gap = 2
    private static let flexibleColumnsMin = 12

    package var columns: [Column]
    package var rows: [[Cell]]

    package init(_ columns: [Column], _ rows: [[Cell]]) { (self.columns, self.rows) = (columns, rows) }

    package func lines(for screen: Console.Screen) -> [String] {
        screen.isTerminal ? aligned(screen) : rows.map { Self.tabbed($0.map(\.raw)) }
    }

    /// One line of tab-separated values. Tabs and line ends are escaped, so that a row stays a row.
    package static func tabbed(_ values: [String]) -> String {
        values.map { escaped($0) }.joined(separator: "\t")
    }

    static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 < 0x20 || $0 == 0x5C || $0 >= 0x7F }) else { return value }
        var parts: [String] = []
        for line in value.split(separator: "\n", omittingEmptySubsequences: false) {
            let tabs = line.split(separator: "\t", omittingEmptySubsequences: false).map { piece in
                CleanText.line(piece.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\"))
            }
            parts.append(tabs.joined(separator: "\\t"))
        }
        return parts.joined(separator: "\\n")
    }

    private func aligned(_ screen: Console.Screen) -> [String] {
        guard !rows.isEmpty else { return [] }
        let shown = rows.map { $0.map { CleanText.line($0.shown) } }
        let widths = fitted(shown, to: screen.columns)
        let head = line(columns.map(\.title), widths, screen) { _, text in screen.styled(text, .dim) }
        return [head]
            + zip(rows, shown).map { row, texts in
                line(texts, widths, screen) { index, text in screen.styled(text, row[index].style) }
            }
    }

    private func line(
        _ texts: [String], _ widths: [Int], _ screen: Console.Screen, _ style: (Int, String) -> String
    ) -> String {
        var line = ""
        for (index, text) in texts.enumerated() {
            let cut = TextWidth.cut(text, to: widths[index], mark: screen.ellipsis)
            let isLast = index == texts.count - 1
            let gap = String(repeating: " ", count: widths[index] - TextWidth.of(cut))
            let styled = style(index, cut)
            line += columns[index].isNumber ? gap + styled : isLast ? styled : styled + gap
            if !isLast { line += String(repeating: " ", count: Self.gap) }
        }
        return line
    }

    private func fitted(_ shown: [[String]], to available: Int) -> [Int] {
        var widths = columns.indices.map { index in
            shown.reduce(TextWidth.of(columns[index].title)) { max($0, TextWidth.of($1[index])) }
        }
        var excess = widths.reduce(0, +) + Self.gap * (widths.count - 1) - available
        while excess > 0 {
            let candidates = columns.indices.filter { columns[$0].isFlexible && widths[$0] > Self.flexibleColumnsMin }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }
}
