/// The chunked transfer coding, strictly: no spaces, no bare line ends, trailers checked and thrown away.
struct ChunkedDecoder: Sendable {
    private enum State: Sendable {
        case size
        case data(remaining: Int)
        case dataEnd
        case trailer
        case done
    }

    enum Event {
        case incomplete
        case body(ArraySlice<UInt8>)
        case end
    }

    private static let sizeDigitsMax = 8

    private var state = State.size
    private var total = 0
    private var trailerBytes = 0
    private var trailerFields = 0

    mutating func next(_ input: inout HTTPInput, limits: HTTPLimits, bodyBytesMax: Int) throws(HTTPParseFailure)
        -> Event
    {
        while true {
            switch state {
            case .size:
                guard let size = try size(&input, limits) else { return .incomplete }
                total += size
                guard total <= bodyBytesMax else { throw .payloadTooLarge }
                state = size == 0 ? .trailer : .data(remaining: size)
            case .data(let remaining):
                if input.isEmpty { return .incomplete }
                let bytes = input.take(upTo: remaining)
                state = bytes.count == remaining ? .dataEnd : .data(remaining: remaining - bytes.count)
                return .body(bytes)
            case .dataEnd:
                if input.isEmpty { return .incomplete }
                guard input[0] == ASCII.carriageReturn else { throw .badChunk("A chunk is longer than it says.") }
                if input.count < 2 { return .incomplete }
                guard input[1] == ASCII.lineFeed else { throw .badChunk("A chunk must end with CR LF.") }
                input.skip(2)
                state = .size
            case .trailer:
                switch input.line(max: limits.trailerBytesMax - trailerBytes) {
                case .incomplete: return .incomplete
                case .tooLong: throw .trailerTooLarge
                case .bareLineEnd: throw .badHeader("A trailer line must end with CR LF.")
                case .complete(let line) where line.isEmpty: state = .done
                case .complete(let line):
                    trailerBytes = min(trailerBytes + line.count + 2, limits.trailerBytesMax)
                    trailerFields += 1
                    guard trailerFields <= limits.trailerFieldsMax else { throw .trailerTooLarge }
                    _ = try FieldLine(input.bytes, line)
                }
            case .done: return .end
            }
        }
    }

    private func size(_ input: inout HTTPInput, _ limits: HTTPLimits) throws(HTTPParseFailure) -> Int? {
        switch input.line(max: Self.sizeDigitsMax + limits.chunkExtensionBytesMax) {
        case .incomplete: return nil
        case .tooLong: throw .badChunk("The line with a chunk's size is too long.")
        case .bareLineEnd: throw .badChunk("The line with a chunk's size must end with CR LF.")
        case .complete(let line):
            let digits = input.bytes[line].prefix { ASCII.hexValue($0) != nil }
            guard (1...Self.sizeDigitsMax).contains(digits.count) else {
                throw .badChunk("A chunk's size is one to eight hexadecimal digits.")
            }
            let behind = input.bytes[digits.endIndex..<line.upperBound]
            guard behind.isEmpty || behind.first == UInt8(ascii: ";"), behind.count <= limits.chunkExtensionBytesMax,
                !behind.contains(where: { ASCII.isControl($0) && $0 != ASCII.tab })
            else { throw .badChunk("Only a short extension may follow a chunk's size.") }
            return digits.reduce(0) { $0 << 4 | Int(ASCII.hexValue($1) ?? 0) }
        }
    }
}

/// One field line: where its name and its value are.
struct FieldLine {
    let name: Range<Int>
    /// Without the white space around it.
    let value: Range<Int>

    init(_ bytes: [UInt8], _ line: Range<Int>) throws(HTTPParseFailure) {
        let span = bytes.span
        var index = line.lowerBound
        while index < line.upperBound, ASCII.token.contains(span[index]) { index += 1 }
        guard index > line.lowerBound, index < line.upperBound, span[index] == ASCII.colon else {
            throw .badHeader(Self.complaint(bytes, line))
        }
        name = line.lowerBound..<index
        var start = index + 1
        var end = line.upperBound
        while start < end, ASCII.isOptionalWhitespace(span[start]) { start += 1 }
        while end > start, ASCII.isOptionalWhitespace(span[end - 1]) { end -= 1 }
        value = start..<end
    }

    private static func complaint(_ bytes: [UInt8], _ line: Range<Int>) -> String {
        guard let first = line.first.map({ bytes[$0] }) else { return "A header line is empty." }
        if ASCII.isOptionalWhitespace(first) {
            return "A header line must not begin with white space (folding is obsolete)."
        }
        return "A header line is a name of token characters, then a colon."
    }
}
