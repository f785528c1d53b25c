/// What "contains, whatever its case" means, and how well a text answers to it. Pure, so that every database that is
/// asked for candidates gives the same answer in the end.
package enum SearchText {
    // MARK: Folding

    /// The text's scalars without case, one for one: the simple case folding of Unicode (3.13, D144), by way of upper
    /// case, so that `ς` and `σ` are one. A scalar whose folding is longer than itself stays as it is.
    package static func folded(_ text: some StringProtocol) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars { result.append(folded(scalar)) }
        return result
    }

    private static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar.isASCII {
            let isUpper = scalar.value >= 0x41 && scalar.value <= 0x5A
            return isUpper ? Unicode.Scalar(UInt8(scalar.value + 0x20)) : scalar
        }
        let upper = single(scalar.properties.uppercaseMapping) ?? scalar
        return single(upper.properties.lowercaseMapping) ?? scalar
    }

    private static func single(_ text: String) -> Unicode.Scalar? {
        text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
    }

    /// The beginning of the text, cut between two scalars.
    package static func prefix(_ text: String, bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: bytesMax)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    /// Where the needle stands in the text, both folded; places do not overlap.
    package static func places(of needle: [Unicode.Scalar], in text: [Unicode.Scalar]) -> [Int] {
        guard let first = needle.first, text.count >= needle.count else { return [] }
        var places: [Int] = []
        text.withUnsafeBufferPointer { text in
            var place = 0
            let last = text.count - needle.count
            search: while place <= last {
                guard text[place] == first else {
                    place += 1
                    continue
                }
                for offset in 1..<max(1, needle.count) where text[place + offset] != needle[offset] {
                    place += 1
                    continue search
                }
                places.append(place)
                place += needle.count
            }
        }
        return places
    }

    // MARK: Ranking

    /// BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) for a query of one phrase, in
    /// millionths. The phrase's rarity is the same factor for all documents, so it is left out; and the length that
    /// counts as ordinary is a constant, not the average of all texts. So a score says nothing of other workspaces,
    /// and a page of results stays where it is when more is written.
    package static func score(hits: Int, length: Int) -> Int64 {
        let (saturation, lengthWeight, ordinaryLength) = (1.2, 0.75, 300.0)
        let norm = saturation * (1 - lengthWeight + lengthWeight * Double(length) / ordinaryLength)
        let hits = Double(hits)
        return Int64((hits * (saturation + 1) / (hits + norm) * 1e6).rounded())
    }

    // MARK: Excerpts

    package static let excerptCharactersMax = 280
    private static let charactersBeforeHit = 60

    /// The text around the first place as HTML: what is the text's own is escaped, hits stand in `<mark>`, and `…`
    /// stands where something was left out.
    package static func excerpt(of text: String, marking places: [Int], length: Int) -> String {
        let scalars = Array(text.unicodeScalars)
        let start = max(0, min((places.first ?? 0) - charactersBeforeHit, scalars.count - excerptCharactersMax))
        let end = min(scalars.count, start + excerptCharactersMax)
        var excerpt = start > 0 ? "…" : ""
        var next = start
        for place in places where place + length <= end {
            append(scalars[next..<place], to: &excerpt)
            excerpt += "<mark>"
            append(scalars[place..<place + length], to: &excerpt)
            excerpt += "</mark>"
            next = place + length
        }
        append(scalars[next..<end], to: &excerpt)
        return end < scalars.count ? excerpt + "…" : excerpt
    }

    private static func append(_ scalars: ArraySlice<Unicode.Scalar>, to html: inout String) {
        for scalar in scalars {
            switch scalar {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            case "'": html += "&#39;"
            default: html.unicodeScalars.append(scalar)
            }
        }
    }
}
