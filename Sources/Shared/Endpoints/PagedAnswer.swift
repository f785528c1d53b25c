/// A list that is read page by page: every one has a cursor, and its answers a `Link` to the next page.
package protocol PagedAnswer {
    /// Where the next page begins; nil at the end.
    var nextCursor: String? { get }
}
