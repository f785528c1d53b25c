import CLI
import Shared
import Testing

@Suite("Text that others have made")
struct CleanTextTests {
    @Test(
        "is shown without what moves, recolours, reorders or hides",
        arguments: [
            ("plain", "plain"), ("zwölf Bärinnen 熊", "zwölf Bärinnen 熊"),
            ("\u{1B}[31mred\u{1B}[0m", "red"), ("a\u{1B}[2J\u{1B}[Hb", "ab"),
            ("\u{1B}]0;title\u{07}x", "x"), ("\u{1B}]8;;http://evil\u{1B}\\link\u{1B}]8;;\u{1B}\\", "link"),
            ("\u{9B}31mred", "red"), ("\u{1B}Pq#0\u{1B}\\x", "x"), ("\u{1B}(0x", "x"),
            ("a\nb\r\nc\td", "a b c d"), ("over\rwrite", "over write"),
            ("a\u{08}b\u{07}\u{7F}", "a\u{FFFD}b\u{FFFD}\u{FFFD}"),
            ("rm \u{202E}txt.exe", "rm \u{FFFD}txt.exe"), ("a\u{2066}b\u{2069}", "a\u{FFFD}b\u{FFFD}"),
            ("pay\u{200B}pal\u{FEFF}", "pay\u{FFFD}pal\u{FFFD}"), ("t\u{E0041}ag", "t\u{FFFD}ag"),
            ("a\u{2028}b", "a b"),
            // What is not closed swallows nothing but itself.
            ("\u{1B}]0;unclosed", "0;unclosed"), ("\u{1B}", ""), ("\u{1B}[", ""),
        ])
    func cleaned(text: String, expected: String) { #expect(CleanText.line(text) == expected) }

    @Test("keeps no control character whatever it is made of")
    func everyControl() {
        for value in Array(UInt32(0)..<0x20) + Array(UInt32(0x7F)..<0xA0) {
            let text = "a" + String(Unicode.Scalar(value)!) + "b"
            for scalar in CleanText.line(text).unicodeScalars {
                #expect(scalar.value >= 0x20 && !(0x7F..<0xA0).contains(scalar.value))
            }
        }
    }

    @Test("comes as lines that each are clean")
    func lines() { #expect(CleanText.lines("a\u{1B}[1m\nb\r\nc") == ["a", "b", "c"]) }

    @Test("in JSON is escaped, and is the same JSON")
    func json() { #expect(CleanText.escapedJSON("{\"a\": \"\u{202E}\u{9B}\"}\n") == "{\"a\": \"\\u202e\\u009b\"}\n") }
}

@Suite("Tables")
struct TableTests {
    private let table = Table(
        [.init("ID"), .init("STATUS"), .init("TITLE", isFlexible: true), .init("SIZE", isNumber: true)],
        [
            [.init("run_1"), .init("failed", .red), .init("a\tb\nc\\d"), .init("1536", shown: "1.5 KiB")],
            [
                .init("run_22"), .init("ok", .green), .init("漢字 and more of it than fits on this screen"),
                .init("7", shown: "7 B"),
            ],
        ])

    @Test("in a pipe are tab-separated, without head, colour or cut, one row per line")
    func tabbed() {
        #expect(
            table.lines(for: .pipe) == [
                "run_1\tfailed\ta\\tb\\nc\\\\d\t1536", "run_22\tok\t漢字 and more of it than fits on this screen\t7",
            ])
    }

    @Test("on a terminal are aligned, cut to its width, numbers to the right")
    func aligned() {
        let lines = table.lines(for: .init(isTerminal: true, hasUnicode: true, columns: 44))
        #expect(
            lines == [
                "ID      STATUS  TITLE                   SIZE", "run_1   failed  a b c\\d              1.5 KiB",
                "run_22  ok      漢字 and more of i…      7 B",
            ])
        for line in lines { #expect(TextWidth.of(line) == 44) }
    }

    @Test("have colour only where it is wanted, and the columns stay aligned")
    func colour() {
        let lines = table.lines(for: .init(isTerminal: true, hasColour: true, hasUnicode: true, columns: 44))
        #expect(lines[1].contains("\u{1B}[31mfailed\u{1B}[0m  "))
    }

    @Test("without rows say nothing in a pipe")
    func empty() { #expect(Table([.init("ID")], []).lines(for: .pipe).isEmpty) }

    @Test("facts are name and value")
    func facts() {
        var facts = Facts()
        facts.add("run", "run_1")
        facts.add("title", nil)
        facts.add("took", "1500", shown: "1.5 s")
        #expect(facts.lines(for: .pipe) == ["run\trun_1", "took\t1500"])
        #expect(facts.lines(for: .plainTerminal) == ["run   run_1", "took  1.5 s"])
    }
}

@Suite("Amounts")
struct AmountTests {
    @Test(
        "of time are short",
        arguments: [(32, "32 ms"), (1_450, "1.4 s"), (125_000, "2m 05s"), (3_720_000, "1h 02m"), (-5, "0 ms")])
    func durations(ms: Int64, text: String) { #expect(Amounts.duration(milliseconds: ms) == text) }

    @Test("of bytes are binary", arguments: [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 20, "5.0 MiB")])
    func bytes(count: Int64, text: String) { #expect(Amounts.bytes(count) == text) }

    @Test(
        "of distance look both ways",
        arguments: [
            (0, "now"), (-30_000, "30s ago"), (-7_200_000, "2h ago"), (86_400_000, "in 24h"), (-864_000_000, "10d ago"),
        ])
    func ages(offset: Int64, text: String) {
        #expect(Amounts.age(FixedClock.now.adding(milliseconds: offset), now: FixedClock.now) == text)
    }
}
