; What the JavaScript grammar's nodes are, in the terms of src/lang/syntax.rs: one pattern a node kind.

; Values
(identifier) @identifier
(shorthand_property_identifier_pattern) @identifier
(string) @text
(template_string) @template
(template_substitution) @hole
(number) @number
(true) @true
(false) @false
(null) @null
(undefined) @null
(regex) @opaque
(call_expression function: (_) @callee arguments: (_) @arguments) @call
(new_expression constructor: (_) @callee arguments: (_) @arguments) @new
(import) @import.call
(meta_property) @meta
(member_expression object: (_) @base property: (_) @name) @member
(subscript_expression object: (_) @base index: (_) @index_of) @index
(property_identifier) @property
(private_property_identifier) @property
(object) @object
(pair key: (_) @name value: (_) @value) @pair
(shorthand_property_identifier) @shorthand
(array) @list
(spread_element) @spread
(arrow_function parameters: (_) @params body: (_) @body) @function
(arrow_function parameter: (_) @param body: (_) @body) @function
(function_expression name: (_) @name parameters: (_) @params body: (_) @body) @function
(generator_function name: (_) @name parameters: (_) @params body: (_) @body) @function
(class name: (_) @name body: (_) @body) @class
(await_expression) @await
(yield_expression) @yield
(unary_expression operator: _ @operator argument: (_) @value) @unary
(update_expression operator: _ @operator argument: (_) @value) @update
(binary_expression left: (_) @left operator: _ @operator right: (_) @right) @binary
(ternary_expression condition: (_) @condition consequence: (_) @then alternative: (_) @otherwise) @choose
(assignment_expression left: (_) @left right: (_) @right) @assign
(augmented_assignment_expression left: (_) @left operator: _ @operator right: (_) @right) @augment
(sequence_expression) @sequence
(parenthesized_expression) @wrap
(this) @this
(super) @super

; Elements
(jsx_opening_element) @tag
(jsx_attribute) @attribute
(jsx_element) @element
(jsx_self_closing_element) @element
(jsx_expression) @wrap
(jsx_closing_element) @skip
(jsx_text) @skip
(html_character_reference) @skip

; Patterns
(object_pattern) @pattern.object
(array_pattern) @pattern.array
(pair_pattern key: (_) @name value: (_) @value) @pattern.pair
(assignment_pattern left: (_) @left right: (_) @right) @pattern.default
(object_assignment_pattern left: (_) @left right: (_) @right) @pattern.default
(rest_pattern) @pattern.rest

; Declarations
(function_declaration name: (_) @name parameters: (_) @params body: (_) @body) @function.declaration
(generator_function_declaration name: (_) @name parameters: (_) @params body: (_) @body) @function.declaration
(class_declaration name: (_) @name body: (_) @body) @class.declaration
(method_definition name: (_) @name parameters: (_) @params body: (_) @body) @method
(field_definition property: (_) @name value: (_) @value) @field
(class_static_block body: (_) @body) @static
(decorator) @decorator
(lexical_declaration) @declaration
(variable_declaration) @declaration
(using_declaration) @declaration
(variable_declarator name: (_) @name value: (_) @value) @declarator
(import_statement source: (_) @source) @import
(export_statement source: (_) @source) @export

; Statements
(statement_block) @block
(expression_statement) @statement
(if_statement condition: (_) @condition consequence: (_) @then alternative: (_) @otherwise) @if
(while_statement condition: (_) @condition body: (_) @body) @while
(do_statement body: (_) @body condition: (_) @condition) @while
(for_in_statement left: (_) @left operator: _ @operator right: (_) @right body: (_) @body) @each
(for_statement initializer: (_) @start condition: (_) @condition increment: (_) @next body: (_) @body) @for
(switch_statement value: (_) @value body: (_) @body) @switch
(switch_case value: (_) @value) @case
(switch_default) @case
(try_statement body: (_) @body handler: (_) @handler finalizer: (_) @finally) @try
(catch_clause parameter: (_) @name body: (_) @body) @block
(finally_clause body: (_) @body) @block
(with_statement object: (_) @value body: (_) @body) @with
(labeled_statement body: (_) @body) @labeled
(return_statement) @return
(throw_statement) @throw
(break_statement) @jump
(continue_statement) @jump

; Nothing in these concerns us
(comment) @skip
(html_comment) @skip
(hash_bang_line) @skip
(optional_chain) @skip
(empty_statement) @skip
(debugger_statement) @skip
