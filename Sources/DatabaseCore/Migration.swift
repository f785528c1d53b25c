/// One numbered step of the schema. Steps are only ever added; each is applied once, in a transaction of its own.
package struct Migration: Sendable {
    package var number: Int
    package var name: String
    package var sqlite: [SQL]

    package init(_ number: Int, _ name: String, sqlite: [SQL]) {
        (self.number, self.name, self.sqlite) = (number, name, sqlite)
    }
}
