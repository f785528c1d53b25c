/// What is known about one thing: a name and a value per line.
package struct Facts: Sendable {
    package var rows: [(name: String, cell: Table.Cell)] = []

    package init() {}

    package mutating func add(_ name: String, _ value: String?, shown: String? = nil, _ style: Style = .plain) {
        guard let value, !value.isEmpty else { return }
        rows.append((name, Table.Cell(value, shown: shown, style)))
    }

    package func lines(for screen: Console.Screen) -> [String] {
        guard screen.isTerminal else { return rows.map { Table.tabbed([$0.name, $0.cell.raw]) } }
        let width = rows.map { TextWidth.of($0.name) }.max() ?? 0
        return rows.map { name, cell in
            screen.styled(TextWidth.padded(name, to: width), .dim) + "  "
                + screen.styled(CleanText.line(cell.shown), cell.style)
        }
    }
}
