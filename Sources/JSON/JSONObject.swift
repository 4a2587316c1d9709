/// The members of a JSON object, in the order in which they stood.
public struct JSONObject: Sendable, Hashable {
    /// One name and its value.
    public struct Member: Sendable, Hashable {
        /// The member's name, unescaped.
        public var name: String
        /// The member's value.
        public var value: JSON

        /// Makes a member.
        public init(name: String, value: JSON) {
            self.name = name
            self.value = value
        }
    }

    private var members: [Member]

    /// Makes an object of members; of those with the same name the last one is found.
    public init(_ members: [Member] = []) { self.members = members }

    /// The value of a name, of a repeated one the last; setting nil takes the member out.
    public subscript(name: String) -> JSON? {
        get { members.last { $0.name == name }?.value }
        set {
            let place = members.lastIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (_?, nil): members.removeAll { $0.name == name }
            case (nil, nil): break
            }
        }
    }

    /// The names in their order.
    public var names: [String] { members.map(\.name) }

    /// Two objects are equal when the same names have the same values, in any order.
    public static func == (left: Self, right: Self) -> Bool {
        left.members.count == right.members.count && left.members.allSatisfy { right[$0.name] == $0.value }
    }

    /// Feeds the hasher with what does not depend on the order.
    public func hash(into hasher: inout Hasher) { hasher.combine(Set(names)) }
}

extension JSONObject: RandomAccessCollection {
    /// The place of the first member.
    public var startIndex: Int { members.startIndex }
    /// The place behind the last member.
    public var endIndex: Int { members.endIndex }
    /// The member at a place.
    public subscript(position: Int) -> Member { members[position] }
}
