/// Bytes that came in and are not used yet, read as lines or as they are.
struct HTTPInput: Sendable {
    private(set) var bytes: [UInt8] = []
    private var start = 0
    /// How far the current line was looked at, so that no byte is looked at twice.
    private var scanned = 0

    /// A buffer that has grown beyond this is given back once it is empty.
    private static let keptBytesMax = 16 << 10
    private static let compactedBytesMin = 4 << 10

    enum Line {
        case incomplete
        /// The line without its end.
        case complete(Range<Int>)
        case tooLong
        /// A carriage return or line feed that stands alone.
        case bareLineEnd
    }

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }
    var first: UInt8? { isEmpty ? nil : bytes[start] }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if start >= Self.compactedBytesMin, start >= count {
            bytes.removeSubrange(..<start)
            (start, scanned) = (0, max(0, scanned - start))
        }
        bytes.append(contentsOf: more)
    }

    /// The next line with CR LF at its end; at most `max` bytes long without it.
    mutating func line(max: Int) -> Line {
        let from = Swift.max(start, scanned)
        // A line end right behind the last byte allowed is still fine, hence one more.
        let limit = min(bytes.count, start + max + 1)
        let end = Self.lineEnd(in: bytes.span, from: from, to: limit)
        scanned = end
        guard end < limit else { return end > start + max ? .tooLong : .incomplete }
        guard bytes[end] == ASCII.carriageReturn else { return .bareLineEnd }
        guard end + 1 < bytes.count else { return .incomplete }
        guard bytes[end + 1] == ASCII.lineFeed else { return .bareLineEnd }
        let line = start..<end
        (start, scanned) = (end + 2, end + 2)
        return .complete(line)
    }

    /// Where the first carriage return or line feed is, or `limit`.
    private static func lineEnd(in span: Span<UInt8>, from: Int, to limit: Int) -> Int {
        var index = from
        while index < limit, span[index] != ASCII.lineFeed, span[index] != ASCII.carriageReturn { index += 1 }
        return index
    }

    /// At most `count` of the next bytes.
    mutating func take(upTo count: Int) -> ArraySlice<UInt8> {
        let end = start + min(count, self.count)
        defer { (start, scanned) = (end, end) }
        return bytes[start..<end]
    }

    mutating func skip(_ count: Int) { (start, scanned) = (start + count, start + count) }

    subscript(offset: Int) -> UInt8 { bytes[start + offset] }

    /// Gives the room of used bytes back; slices taken before stay valid.
    mutating func release() {
        guard start == bytes.count, start > 0 else { return }
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptBytesMax)
        (start, scanned) = (0, 0)
    }

    mutating func releaseAll() { self = HTTPInput() }
}
