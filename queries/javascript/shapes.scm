; What the JavaScript grammar's nodes are, in the terms of src/lang/syntax.rs: one pattern a node kind.
(identifier) @identifier
(string) @text
(template_string) @template
(number) @number
(true) @true
(false) @false
(null) @null
(undefined) @null
(comment) @skip
(regex) @skip
(call_expression function: (_) @callee arguments: (_) @arguments) @call
(new_expression constructor: (_) @callee) @new
(member_expression object: (_) @base property: (_) @name) @member
(subscript_expression object: (_) @base index: (_) @index_of) @index
(object) @object
(array) @list
(arrow_function body: (_) @body) @function
(function_expression body: (_) @body) @function
(generator_function body: (_) @body) @function
(function_declaration name: (_) @name body: (_) @body) @function.declaration
(generator_function_declaration name: (_) @name body: (_) @body) @function.declaration
(class body: (_) @body) @class
(class_declaration name: (_) @name body: (_) @body) @class.declaration
(await_expression) @await
(unary_expression operator: (_) @operator argument: (_) @value) @unary
(binary_expression left: (_) @left operator: (_) @operator right: (_) @right) @binary
(ternary_expression condition: (_) @condition consequence: (_) @then alternative: (_) @otherwise) @choose
(assignment_expression left: (_) @left right: (_) @right) @assign
(augmented_assignment_expression left: (_) @left operator: (_) @operator right: (_) @right) @augment
(spread_element) @spread
(parenthesized_expression) @wrap
(this) @this
(super) @super
(jsx_element) @element
(jsx_self_closing_element) @element
(yield_expression) @yield
(statement_block) @block
(expression_statement) @statement
(lexical_declaration) @declaration
(variable_declaration) @declaration
(if_statement condition: (_) @condition consequence: (_) @then alternative: (_) @otherwise) @if
(while_statement condition: (_) @condition body: (_) @body) @while
(do_statement condition: (_) @condition body: (_) @body) @while
(for_in_statement left: (_) @left right: (_) @right body: (_) @body) @each
(for_statement condition: (_) @condition body: (_) @body) @for
(switch_statement value: (_) @value body: (_) @body) @switch
(try_statement body: (_) @body handler: (_) @handler finalizer: (_) @finally) @try
(return_statement) @return
(throw_statement) @throw
(break_statement) @jump
(continue_statement) @jump
(import_statement source: (_) @source) @import
(export_statement) @export
