; What the Python grammar's nodes are, in the terms of src/lang/syntax.rs: one pattern a node kind.
; Kinds of Python alone are @other with roles: the visitor asks for them by name where they can stand.

; values
(identifier) @identifier
(string) @text
(concatenated_string) @template
(integer) @number
(float) @number
(true) @true
(false) @false
(none) @null
(call function: (_) @callee arguments: (_) @arguments) @call
(attribute object: (_) @base attribute: (_) @name) @member
(subscript value: (_) @base subscript: (_) @index_of) @index
(dictionary) @object
(list) @list
(tuple) @list
(set) @list
(expression_list) @list
(pattern_list) @list
(tuple_pattern) @list
(list_pattern) @list
(lambda parameters: (_) @params body: (_) @body) @function
(await) @await
(not_operator argument: (_) @value) @unary
(unary_operator argument: (_) @value) @unary
(boolean_operator left: (_) @left right: (_) @right) @binary
(binary_operator left: (_) @left right: (_) @right) @binary
(comparison_operator) @binary
(conditional_expression) @choose
(named_expression name: (_) @name value: (_) @value) @assign
(list_splat) @spread
(list_splat_pattern) @spread
(dictionary_splat) @spread
(dictionary_splat_pattern) @spread
(parenthesized_expression) @wrap
(yield) @yield
(list_comprehension body: (_) @body) @comprehension
(set_comprehension body: (_) @body) @comprehension
(dictionary_comprehension body: (_) @body) @comprehension
(generator_expression body: (_) @body) @comprehension

; parts of values
(pair key: (_) @name value: (_) @value) @other
(keyword_argument name: (_) @name value: (_) @value) @other
(interpolation expression: (_) @value) @other
(for_in_clause left: (_) @left right: (_) @right) @other
(as_pattern alias: (_) @name) @other

; definitions
(function_definition name: (_) @name parameters: (_) @params body: (_) @body) @function.declaration
(class_definition name: (_) @name superclasses: (_) @arguments body: (_) @body) @class.declaration
(decorated_definition definition: (_) @value) @decorated
(default_parameter name: (_) @name value: (_) @value) @other
(typed_parameter type: (_) @type) @other
(typed_default_parameter name: (_) @name type: (_) @type value: (_) @value) @other
(import_statement) @import
(import_from_statement module_name: (_) @source) @import
(aliased_import name: (_) @source alias: (_) @name) @other

; statements
(block) @block
(expression_statement) @statement
(assignment left: (_) @left type: (_) @type right: (_) @right) @assign
(augmented_assignment left: (_) @left right: (_) @right) @augment
(if_statement condition: (_) @condition consequence: (_) @then) @if
(elif_clause condition: (_) @condition consequence: (_) @then) @other
(else_clause body: (_) @body) @other
(while_statement condition: (_) @condition body: (_) @body alternative: (_) @otherwise) @while
(for_statement left: (_) @left right: (_) @right body: (_) @body alternative: (_) @otherwise) @each
(try_statement body: (_) @body) @try
(with_statement body: (_) @body) @with
(match_statement subject: (_) @value body: (_) @body) @switch
(case_clause guard: (_) @condition consequence: (_) @then) @other
(return_statement) @return
(raise_statement cause: (_) @value) @throw
(break_statement) @jump
(continue_statement) @jump

; nothing of ours
(comment) @skip
(line_continuation) @skip
(ellipsis) @skip
(type) @skip
(pass_statement) @skip
(future_import_statement) @skip
(type_alias_statement) @skip
