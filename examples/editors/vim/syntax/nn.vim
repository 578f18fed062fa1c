" Vim syntax file of .nn, the models of vgraph. Written by tests/editors.py: do not edit.
if exists('b:current_syntax')
  finish
endif

syntax match nnSign '\.\.\.\|!=\|\*\*\|\.\.\|<=\|==\|>=\|\*\|+\|-\|\/\|:\|<\|=\|>\|@\|\^\|\~'
syntax match nnSelector '\.\*\*\?\|\[\*\]'
syntax match nnNumber '\<\d\+\%(_\d\+\)*\%(\.\d\+\%(_\d\+\)*\)\?\%([eE][+-]\?\d\+\%(_\d\+\)*\)\?'

syntax match nnFunction '\<\%(abs\|adagrad\|adam\|adamw\|arange\|argmax\|argmin\|attention\|avg_pool2d\|batch_norm\|bernoulli\)\>'
syntax match nnFunction '\<\%(binary_cross_entropy\|broadcast\|ceil\|circles\|clamp\|concat\|conv\|conv2d\|cos\|cross_entropy\|csv\)\>'
syntax match nnFunction '\<\%(cumsum\|dense\|digits\|dim\|dropout\|elu\|embedding\|erf\|exp\|expand\|expm1\|exponential_decay\|eye\)\>'
syntax match nnFunction '\<\%(fan_in\|fan_out\|finite\|flatten\|flip\|float\|floor\|full\|gather\|gelu\|gelu_tanh\|glorot_normal\)\>'
syntax match nnFunction '\<\%(glorot_uniform\|grad\|gru\|hard_sigmoid\|hard_tanh\|he_normal\|he_uniform\|huber\|identity\)\>'
syntax match nnFunction '\<\%(identity_init\|idx\|images\|int\|isinf\|isnan\|layer_norm\|leaky_relu\|lecun_normal\|lecun_uniform\)\>'
syntax match nnFunction '\<\%(len\|linspace\|lion\|load\|log\|log1p\|log_softmax\|logsumexp\|lstm\|mae\|max\|max_pool2d\|maximum\)\>'
syntax match nnFunction '\<\%(mean\|min\|minimum\|mish\|mnist\|mod\|moons\|mse\|norm\|normal\|npy\|npz\|one_hot\|ones\|orthogonal\|pad\)\>'
syntax match nnFunction '\<\%(prod\|rank\|relu\|replace\|reshape\|rms\|rms_norm\|rmsprop\|rnn\|round\|rsqrt\|safe_sqrt\|safetensors\)\>'
syntax match nnFunction '\<\%(sample\|select\|selu\|sentences\|sgd\|shape\|sigmoid\|sign\|silu\|sin\|size\|softmax\|softplus\)\>'
syntax match nnFunction '\<\%(softsign\|spirals\|sqrt\|square\|squeeze\|stack\|std\|step_decay\|stop_gradient\|sum\|tanh\|text\)\>'
syntax match nnFunction '\<\%(total\|transpose\|truncated_normal\|uniform\|variance\|vars\|warmup_cosine\|xor\|zeros\)\>'
syntax match nnValue '\<\%(pi\|inf\|step\|steps\|training\)\>'
syntax match nnConditional '\<\%(if\|then\|else\)\>'
syntax match nnRepeat '\<\%(for\|in\)\>'
syntax match nnLogic '\<\%(and\|or\|not\)\>'
syntax match nnBoolean '\<\%(true\|false\)\>'
" Names that look like functions: what is bound, an argument's name, a member.
syntax match nnName '\<\h\w*\ze\s*=\%(=\)\@!'
syntax match nnName '\%([^.]\.\)\@<=\h\w*'

" Statements: a word that begins one is a name elsewhere.
syntax match nnStatement '\%(^\|[;{]\)\s*\zs\%(const\|data\|input\|var\|state\|update\|def\|layer\|initializer\|optimizer\|use\|return\|train\|summary\|expect\)\>'
syntax match nnDeclared '\%(\%(^\|[;{]\)\s*\%(const\|data\|input\|var\|state\|update\)\s\+\)\@<=\h\w*'
syntax match nnDefined '\%(\%(^\|[;{]\)\s*\%(def\|layer\|initializer\|optimizer\)\s\+\)\@<=\h\w*'
syntax match nnKind '\%(\%(^\|[;{]\)\s*summary\s\+\)\@<=\%(scalar\|histogram\|image\)\>'
syntax match nnSetting '\%(^\|[;{]\)\s*\zs\%(batch\|checkpoint_best\|checkpoint_every\|clip_norm\|clip_value\|epochs\|eval_every\|every\|optimizer\|params\|seed\|shuffle\|steps\)\ze\s*=\%(=\)\@!'
syntax match nnTail '\s\@<=as\ze\s*"'
syntax match nnTail '\s\@<=every\ze\s\+[[:alnum:](]'

syntax match nnEscape '\\[nt"\\{}]' contained
syntax region nnInserted matchgroup=nnEscape start='{' end='}' contained oneline contains=nnSign,nnNumber,nnFunction,nnValue,nnString
syntax region nnString start='"' skip='\\.' end='"' oneline contains=nnEscape,nnInserted
syntax match nnComment '#.*$' contains=@Spell

highlight default link nnSign Operator
highlight default link nnSelector Special
highlight default link nnNumber Number
highlight default link nnFunction Function
highlight default link nnValue Constant
highlight default link nnConditional Conditional
highlight default link nnRepeat Repeat
highlight default link nnLogic Operator
highlight default link nnBoolean Boolean
highlight default link nnStatement Statement
highlight default link nnDeclared Identifier
highlight default link nnDefined Function
highlight default link nnKind Type
highlight default link nnSetting Identifier
highlight default link nnTail Statement
highlight default link nnEscape SpecialChar
highlight default link nnString String
highlight default link nnComment Comment

let b:current_syntax = 'nn'
