
val implb : bool -> bool -> bool

val negb : bool -> bool

val option_map : ('a1 -> 'a2) -> 'a1 option -> 'a2 option

val fst : ('a1*'a2) -> 'a1

val snd : ('a1*'a2) -> 'a2

val app : 'a1 list -> 'a1 list -> 'a1 list

type comparison =
| Eq
| Lt
| Gt

val add : int -> int -> int

val mul : int -> int -> int

val sub : int -> int -> int

val eqb : bool -> bool -> bool

module Nat :
 sig
  val ltb : int -> int -> bool
 end

module Pos :
 sig
  val succ : Big_int_Z.big_int -> Big_int_Z.big_int

  val add : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val add_carry : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val pred_double : Big_int_Z.big_int -> Big_int_Z.big_int

  val mul : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val iter : ('a1 -> 'a1) -> 'a1 -> Big_int_Z.big_int -> 'a1

  val div2 : Big_int_Z.big_int -> Big_int_Z.big_int

  val div2_up : Big_int_Z.big_int -> Big_int_Z.big_int

  val compare_cont :
    comparison -> Big_int_Z.big_int -> Big_int_Z.big_int -> comparison

  val compare : Big_int_Z.big_int -> Big_int_Z.big_int -> comparison

  val eqb : Big_int_Z.big_int -> Big_int_Z.big_int -> bool
 end

module Z :
 sig
  val double : Big_int_Z.big_int -> Big_int_Z.big_int

  val succ_double : Big_int_Z.big_int -> Big_int_Z.big_int

  val pred_double : Big_int_Z.big_int -> Big_int_Z.big_int

  val pos_sub : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val add : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val opp : Big_int_Z.big_int -> Big_int_Z.big_int

  val sub : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val mul : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val compare : Big_int_Z.big_int -> Big_int_Z.big_int -> comparison

  val sgn : Big_int_Z.big_int -> Big_int_Z.big_int

  val leb : Big_int_Z.big_int -> Big_int_Z.big_int -> bool

  val ltb : Big_int_Z.big_int -> Big_int_Z.big_int -> bool

  val eqb : Big_int_Z.big_int -> Big_int_Z.big_int -> bool

  val max : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val min : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val abs : Big_int_Z.big_int -> Big_int_Z.big_int

  val to_pos : Big_int_Z.big_int -> Big_int_Z.big_int

  val pos_div_eucl :
    Big_int_Z.big_int -> Big_int_Z.big_int ->
    Big_int_Z.big_int*Big_int_Z.big_int

  val div_eucl :
    Big_int_Z.big_int -> Big_int_Z.big_int ->
    Big_int_Z.big_int*Big_int_Z.big_int

  val div : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val modulo : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

  val even : Big_int_Z.big_int -> bool

  val div2 : Big_int_Z.big_int -> Big_int_Z.big_int

  val shiftl : Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int
 end

val hd : 'a1 -> 'a1 list -> 'a1

val tl : 'a1 list -> 'a1 list

val nth : int -> 'a1 list -> 'a1 -> 'a1

val nth_error : 'a1 list -> int -> 'a1 option

val rev : 'a1 list -> 'a1 list

val rev_append : 'a1 list -> 'a1 list -> 'a1 list

val concat : 'a1 list list -> 'a1 list

val map : ('a1 -> 'a2) -> 'a1 list -> 'a2 list

val fold_left : ('a1 -> 'a2 -> 'a1) -> 'a2 list -> 'a1 -> 'a1

val existsb : ('a1 -> bool) -> 'a1 list -> bool

val forallb : ('a1 -> bool) -> 'a1 list -> bool

val filter : ('a1 -> bool) -> 'a1 list -> 'a1 list

val find : ('a1 -> bool) -> 'a1 list -> 'a1 option

val seq : int -> int -> int list

type row = { exponent : Big_int_Z.big_int; constant : Big_int_Z.big_int;
             coefficients : Big_int_Z.big_int list }

type layer = { inputs : int; rows : row list; rectified : bool list }

type network = { network_inputs : int; layers : layer list }

type point = { denominator : Big_int_Z.big_int;
               numerators : Big_int_Z.big_int list }

type domain =
| AllSpace
| Orthant
| Box of point * point
| Polytope of (Big_int_Z.big_int*Big_int_Z.big_int list) list

type subject =
| NetworkInput of point
| LayerInput of point
| LayerOutput of point

type cardinality =
| Singleton
| Bounded
| Unbounded
| Infinite

type claim =
| Empty
| Preimage of cardinality * int * int * int

type relation = { related : int; factor : Big_int_Z.big_int;
                  terms : (int*Big_int_Z.big_int) list }

type upper_bound =
| ByRows
| ByColumns
| ByRelations of relation list
| ByNullVectors of Big_int_Z.big_int list list

type rank_evidence = { rank_value : int; modulus : Big_int_Z.big_int;
                       chosen_rows : bool list; chosen_columns : bool list;
                       bound_above : upper_bound }

type evidence =
| Solution of point
| RankOf of rank_evidence
| TrivialMargin of bool list * Big_int_Z.big_int * Big_int_Z.big_int list
| TrivialExact of Big_int_Z.big_int list * rank_evidence
| Tight of bool list
| Implicit of Big_int_Z.big_int list * rank_evidence
| RayMargin of Big_int_Z.big_int list
| RayExact of Big_int_Z.big_int list
| Recession of point
| NegativeOutput of int
| FarkasMultipliers of Big_int_Z.big_int list
| EmptyMargin of bool list * Big_int_Z.big_int * Big_int_Z.big_int list

type certificate = { scope_layer : int; on : domain; about : subject;
                     claimed : claim; proved_by : evidence list }

type endpoint =
| InputOf of point
| OutputOf of point

type through_claim =
| NoInput
| Inputs of cardinality * int
| FiniteInputs of int * int

type part = { part_layer : int; part_claim : claim;
              part_proved_by : evidence list }

type case_tree =
| Divide of int * int * case_tree * case_tree
| Leaf of claim * evidence list

type through_evidence =
| Parts of part list
| Cases of case_tree
| SecondPoint of point
| Direction of point
| StartingAt of point * through_evidence

type through_certificate = { last_layer : int; through_on : domain;
                             through_about : endpoint;
                             through_claimed : through_claim;
                             through_proved_by : through_evidence }

val map_onto : ('a1 -> 'a2) -> 'a1 list -> 'a2 list -> 'a2 list

val tmap : ('a1 -> 'a2) -> 'a1 list -> 'a2 list

val map2_onto :
  ('a1 -> 'a2 -> 'a3) -> 'a1 list -> 'a2 list -> 'a3 list -> 'a3 list

val tmap2 : ('a1 -> 'a2 -> 'a3) -> 'a1 list -> 'a2 list -> 'a3 list

val tapp : 'a1 list -> 'a1 list -> 'a1 list

val count_onto : int -> 'a1 list -> int

val size_of : 'a1 list -> int

val repeat_onto : 'a1 -> int -> 'a1 list -> 'a1 list

val zeros : int -> Big_int_Z.big_int list

val dot_from :
  Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
  Big_int_Z.big_int

val dot :
  Big_int_Z.big_int list -> Big_int_Z.big_int list -> Big_int_Z.big_int

val add_scaled_onto :
  Big_int_Z.big_int list -> Big_int_Z.big_int -> Big_int_Z.big_int list ->
  Big_int_Z.big_int list -> Big_int_Z.big_int list

val add_scaled :
  Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
  Big_int_Z.big_int list

val combination :
  Big_int_Z.big_int list -> Big_int_Z.big_int list list -> Big_int_Z.big_int
  list -> Big_int_Z.big_int list

val sum_abs_from :
  Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int

val sum_abs : Big_int_Z.big_int list -> Big_int_Z.big_int

val max_abs : Big_int_Z.big_int list -> Big_int_Z.big_int

val is_zero : Big_int_Z.big_int list -> bool

val pick_onto : bool list -> 'a1 list -> 'a1 list -> 'a1 list

val pick : bool list -> 'a1 list -> 'a1 list

val fit_onto : int -> bool list -> bool list -> bool list option

val fit : int -> bool list -> bool list option

val number_from : int -> bool list -> int

val number : bool list -> int

val split_onto : int -> 'a1 list -> 'a1 list -> 'a1 list*'a1 list

val split_at : int -> 'a1 list -> 'a1 list*'a1 list

val horner : Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int

val pairs_onto :
  Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
  Big_int_Z.big_int list

val pack_within :
  int -> Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int

val pack : Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int

type oracle = { approximate_inverse : (int -> Big_int_Z.big_int list list ->
                                      Big_int_Z.big_int list
                                      list*Big_int_Z.big_int);
                modular_inverse : (Big_int_Z.big_int -> Big_int_Z.big_int
                                  list list -> Big_int_Z.big_int list list);
                base_above : (Big_int_Z.big_int -> Big_int_Z.big_int);
                digits : (Big_int_Z.big_int -> int -> Big_int_Z.big_int ->
                         Big_int_Z.big_int list) }

type slice = { radix : Big_int_Z.big_int; width : int;
               largest : Big_int_Z.big_int; packed : Big_int_Z.big_int list }

val pack_slice :
  oracle -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list list -> slice

val slice_product :
  oracle -> slice -> Big_int_Z.big_int list -> Big_int_Z.big_int list option

val slice_width : int

type packed_rows = slice list

val pack_within_rows :
  oracle -> int -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list list ->
  packed_rows

val pack_rows :
  oracle -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list list ->
  packed_rows

val product :
  oracle -> packed_rows -> Big_int_Z.big_int list -> Big_int_Z.big_int list
  option

type place =
| Outside
| Inside
| Beside

val is_inside : place -> bool

val is_beside : place -> bool

val arrange : place list -> Big_int_Z.big_int list -> Big_int_Z.big_int list

type inverse_bound = { gap : Big_int_Z.big_int;
                       row_bounds : Big_int_Z.big_int list;
                       side_bounds : Big_int_Z.big_int list;
                       correction : Big_int_Z.big_int;
                       error : Big_int_Z.big_int }

val maxima :
  Big_int_Z.big_int list -> Big_int_Z.big_int list -> Big_int_Z.big_int list

val off_identity :
  Big_int_Z.big_int -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list ->
  Big_int_Z.big_int

val examine :
  oracle -> int -> Big_int_Z.big_int -> packed_rows -> Big_int_Z.big_int list
  -> Big_int_Z.big_int list -> Big_int_Z.big_int list list -> int ->
  Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
  Big_int_Z.big_int -> (((Big_int_Z.big_int*Big_int_Z.big_int
  list)*Big_int_Z.big_int list)*Big_int_Z.big_int) option

val bound_inverse :
  oracle -> int -> place list -> Big_int_Z.big_int list list ->
  Big_int_Z.big_int list -> Big_int_Z.big_int list -> inverse_bound option

val attempts : int list

val some_bound :
  oracle -> int list -> place list -> Big_int_Z.big_int list list ->
  Big_int_Z.big_int list -> Big_int_Z.big_int list -> (inverse_bound -> bool)
  -> bool

val divided :
  Big_int_Z.big_int list -> Big_int_Z.big_int -> Big_int_Z.big_int list

val powers_of_two : Big_int_Z.big_int list

val odd_row : Big_int_Z.big_int list -> Big_int_Z.big_int list

val is_unit_row : Big_int_Z.big_int -> int -> Big_int_Z.big_int list -> bool

val are_unit_rows :
  oracle -> Big_int_Z.big_int -> packed_rows -> Big_int_Z.big_int list list
  -> int -> bool

val invertible_modulo :
  oracle -> Big_int_Z.big_int -> int -> Big_int_Z.big_int list list -> bool

val layer_ok : layer -> bool

val widths_ok : int -> layer list -> bool

val network_ok : network -> bool

val point_ok : int -> point -> bool

val domain_ok : int -> domain -> bool

val lowest_exponent : row list -> Big_int_Z.big_int

val row_values : layer -> point -> point

val rectify : layer -> point -> point

val layer_value : layer -> point -> point

val contains : domain -> point -> bool

val same_point : point -> point -> bool

type general_row = { is_equality : bool; weight : Big_int_Z.big_int;
                     binary : Big_int_Z.big_int;
                     normal : Big_int_Z.big_int list }

type system = { columns : int; general : general_row list;
                lower_sides : bool list; upper_sides : bool list }

val nonzero_rows : general_row list -> general_row list

val layer_general : bool -> row -> general_row

val polytope_general :
  (Big_int_Z.big_int*Big_int_Z.big_int list) -> general_row

val all_columns : bool -> int -> bool list

val in_P : bool -> Big_int_Z.big_int -> bool

val active_rows : layer -> point -> general_row list

val tight_layer_rows : layer -> point -> general_row list

val tight_system : layer -> domain -> point -> point -> system

val recession_system : layer -> domain -> point -> system

val up : Big_int_Z.big_int -> Big_int_Z.big_int

val down : Big_int_Z.big_int -> Big_int_Z.big_int

val box_rows :
  int -> int -> Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int
  -> Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
  general_row list

val homogenised_system : layer -> domain -> point -> system

type entry =
| General of general_row
| Side of int * Big_int_Z.big_int

val sides_onto : int -> bool list -> bool list -> entry list -> entry list

val sides : system -> entry list

val side_marks_onto :
  bool list -> bool list -> bool list -> bool list -> bool list -> bool list

val side_marks : system -> bool list -> bool list -> bool list

val entry_at : Big_int_Z.big_int list -> int -> Big_int_Z.big_int

val entry_dot : Big_int_Z.big_int list -> entry -> Big_int_Z.big_int

val entry_is_zero : entry -> bool

val general_normals : entry list -> Big_int_Z.big_int list list

val side_columns : entry list -> int list

val scale_weights :
  general_row list -> Big_int_Z.big_int list -> Big_int_Z.big_int list

val signs_ok : general_row list -> Big_int_Z.big_int list -> bool

type block = { block_size : int; block_entries : entry list;
               block_places : place list }

val places_onto :
  int -> bool list -> int list -> place list -> place list option

val block_of : int -> entry list -> rank_evidence -> block option

val is_regular : oracle -> Big_int_Z.big_int -> block -> bool

val terms_ok :
  int -> bool list -> entry list -> (int*Big_int_Z.big_int) list ->
  (general_row*Big_int_Z.big_int) list -> (int*Big_int_Z.big_int) list ->
  ((general_row*Big_int_Z.big_int) list*(int*Big_int_Z.big_int) list) option

val unit_at : int -> int -> Big_int_Z.big_int -> Big_int_Z.big_int list

val relation_holds :
  int -> bool list -> entry list -> int -> entry -> relation -> bool

val relations_hold :
  int -> bool list -> entry list -> int -> bool list -> entry list ->
  relation list -> bool

val null_vectors_ok :
  int -> entry list -> bool list -> int -> int -> Big_int_Z.big_int list list
  -> bool

val columns_met : int -> entry list -> bool list

val at_most : int -> entry list -> rank_evidence -> bool

val check_rank : oracle -> int -> entry list -> rank_evidence -> block option

val implied :
  bool -> bool -> Big_int_Z.big_int -> Big_int_Z.big_int*Big_int_Z.big_int

val implied_multipliers :
  system -> Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int)
  list

val residual_norm :
  (Big_int_Z.big_int*Big_int_Z.big_int) list -> Big_int_Z.big_int

val place_sides :
  bool list -> bool list -> bool list -> place list -> place list option

val exceeds :
  inverse_bound -> Big_int_Z.big_int -> (bool*Big_int_Z.big_int) list ->
  (bool*Big_int_Z.big_int) list -> bool

val can_exceed : (bool*Big_int_Z.big_int) -> bool

val margin_holds :
  oracle -> system -> bool list -> Big_int_Z.big_int -> Big_int_Z.big_int
  list -> bool

val exact_multipliers :
  system -> Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int)
  list option

val fixed_columns : system -> bool list

val positive0 : (Big_int_Z.big_int*Big_int_Z.big_int) list -> bool list

val entries_of : system -> entry list

val support :
  system -> Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int)
  list -> entry list

val check_trivial : oracle -> system -> evidence -> bool

val reach : bool list -> entry -> Big_int_Z.big_int

val general_rho :
  Big_int_Z.big_int list -> entry list -> Big_int_Z.big_int list

val side_rho : Big_int_Z.big_int list -> entry list -> Big_int_Z.big_int list

val check_ray :
  oracle -> int -> entry list -> entry list -> block -> evidence -> bool

val check_singleton :
  oracle -> layer -> domain -> point -> point -> int -> evidence list -> bool

val upward : entry -> entry

val check_dimension :
  oracle -> layer -> domain -> point -> point -> block -> int -> evidence
  list -> evidence list option

val check_boundedness :
  oracle -> layer -> domain -> point -> block -> cardinality -> evidence list
  -> bool

val infimum :
  domain -> Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int)
  option

val farkas_holds : layer -> domain -> point -> Big_int_Z.big_int list -> bool

val check_empty : oracle -> layer -> domain -> point -> evidence -> bool

val value_through : layer list -> point -> point

val split_layers : network -> int -> (layer list*layer) option

val subject_values :
  network -> layer list -> layer -> subject -> ((point*point) option*point)
  option

val base_point :
  layer -> domain -> point -> (point*point) option -> evidence list ->
  ((point*point)*evidence list) option

val check_preimage :
  oracle -> layer -> domain -> point -> (point*point) option -> cardinality
  -> int -> int -> int -> evidence list -> bool

val check_layer : oracle -> network -> certificate -> bool

val check : oracle -> network -> certificate -> bool

type region_tree =
| Cut of bool list list * int * bool list * region_tree * region_tree
| Region of bool list list

type form = Big_int_Z.big_int list

type layer_in_cell = { decided : bool list; unit_of : Big_int_Z.big_int;
                       forms : (form*bool) list; signs : bool option list;
                       later : layer list }

val follows :
  (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int list))
  -> form list list -> form -> bool

val opposite : form -> form

val settle :
  (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int list))
  -> form list list -> (form*bool) -> bool option -> bool option

val is_known : (form*bool) -> bool option -> bool

val all_known : layer_in_cell -> bool

val is_on : bool option -> bool

val pattern_of : layer_in_cell -> bool list

val given : (form*bool) -> bool option -> form

val given_forms : layer_in_cell -> form list

val next_form :
  int -> Big_int_Z.big_int -> Big_int_Z.big_int -> form list -> row -> form

val enter : int -> layer_in_cell -> layer -> layer list -> layer_in_cell

val settled :
  (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int list))
  -> form list list -> layer_in_cell -> layer_in_cell

val advance :
  (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int list))
  -> int -> form list list -> form list list -> layer list -> layer_in_cell
  -> layer_in_cell

val cones_of : form list -> bool list list -> form list list

val settled_in :
  (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int list))
  -> int -> form list -> bool list list -> bool list list -> layer_in_cell ->
  layer_in_cell

val passed_on : bool list -> bool list list -> bool list list

val is_settled : layer_in_cell -> bool

val put : int -> bool -> bool option list -> bool option list

val with_sign : int -> bool -> layer_in_cell -> layer_in_cell

val place_from : int -> (form*bool) list -> int -> int

val neuron_of : layer_in_cell -> int -> (int*form) option

val coordinate : int -> int -> form

val first_layer : int -> layer list -> layer_in_cell

val domain_rows : int -> domain -> form list

val is_constant : form -> bool

val first_rows : int -> domain -> form list

type case_signs = bool option list list

type case_row = { is_zero_there : bool; case_form : form }

val is_free : bool -> bool option -> bool

val free_neurons : layer list -> case_signs -> int -> int

val through_neurons :
  int -> Big_int_Z.big_int -> (form*bool) list -> bool option list -> int ->
  form list -> form list -> (int*form list)*form list

val unit_after : layer -> Big_int_Z.big_int -> Big_int_Z.big_int

val forms_after : int -> layer -> Big_int_Z.big_int -> form list -> form list

val through_layers :
  int -> layer list -> case_signs -> Big_int_Z.big_int -> form list -> int ->
  form list -> (Big_int_Z.big_int*form list)*form list

val output_rows :
  int -> layer -> Big_int_Z.big_int -> form list -> point -> case_row list

val case_rows :
  int -> layer list -> layer -> int -> domain -> point -> case_signs ->
  case_row list

val read_columns :
  int -> Big_int_Z.big_int list list -> bool list -> bool list

val layer_row :
  (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
  list)*Big_int_Z.big_int) -> bool list -> form -> row

val layer_of_rows :
  (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
  list)*Big_int_Z.big_int) -> bool list -> case_row list -> layer

val case_layer :
  (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
  list)*Big_int_Z.big_int) -> layer list -> layer -> int -> domain -> point
  -> case_signs -> layer

val leaf_point :
  oracle -> (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
  list)*Big_int_Z.big_int) -> int -> layer list -> layer -> domain -> point
  -> case_signs -> claim -> evidence list -> point option option

val replace : int -> 'a1 -> 'a1 list -> 'a1 list

val has_no_sign : layer list -> int -> int -> case_signs -> bool

val with_case_sign : int -> int -> bool -> case_signs -> case_signs

val held :
  oracle -> (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
  list)*Big_int_Z.big_int) -> int -> layer list -> layer -> domain -> point
  -> case_tree -> case_signs -> point list -> point list option

val cases_ok :
  oracle -> (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
  list)*Big_int_Z.big_int) -> int -> layer list -> layer -> domain -> point
  -> int -> case_tree -> bool

val same_side : Big_int_Z.big_int -> Big_int_Z.big_int -> bool

val value_beside : layer list -> point -> point -> point option

val keeps_sign : Big_int_Z.big_int -> Big_int_Z.big_int -> bool

val rectified_change :
  Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int

val linear_part : layer -> layer

val change_along : layer list -> point -> point -> point option

val domain_contains_direction : domain -> point -> bool

type stage = { stage_layer : int; stage_domain : domain;
               stage_input : point option }

val stages_onto :
  int -> domain -> point option -> layer list -> stage list -> stage list

val part_certificate : domain -> subject -> part -> certificate

val parts_ok :
  oracle -> network -> bool -> stage list -> point -> part list -> bool

val infinite_ok :
  oracle -> network -> layer list -> domain -> point -> point -> bool ->
  through_evidence -> bool

val check_through :
  oracle -> (Big_int_Z.big_int list -> (Big_int_Z.big_int*Big_int_Z.big_int
  list)*Big_int_Z.big_int) -> network -> through_certificate -> bool

type convex_domain =
| Polyhedral of domain
| Ball of Big_int_Z.big_int * Big_int_Z.big_int

type fraction = { below : Big_int_Z.big_int; above : Big_int_Z.big_int }

type layers_meant =
| LayerAlone of int * fraction
| LayersThrough of int

type collision_certificate = { collision_in : layers_meant;
                               collision_on : convex_domain;
                               first_input : point; second_input : point }

type multipliers = (int*Big_int_Z.big_int) list

type dependency = { dependent_rows : multipliers;
                    dependent_sides : multipliers }

type tree_line =
| Branch of int
| Split of int
| Spanned of relation
| Pack of int list

type spanning =
| ByRank of rank_evidence
| ByTree of Big_int_Z.big_int * tree_line list

type full_rank_evidence = { dependencies : dependency list;
                            flats : multipliers list; certain : int list;
                            spanned_by : spanning }

type window_evidence =
| ByItself of full_rank_evidence
| AsBefore of int

type window = { window_rows : int list; window_by : window_evidence }

type injectivity_evidence =
| AtOnce of full_rank_evidence
| ByWindows of window list

type injectivity_certificate = { injective_layer : int;
                                 injective_on : convex_domain;
                                 injective_lowered_by : fraction;
                                 injective_by : injectivity_evidence }

type bias_limit_certificate = { limited_layer : int;
                                limited_on : convex_domain;
                                bias_limit : fraction; common_input : 
                                point; first_direction : point;
                                second_direction : point }

type expansion_certificate = { expansive_layer : int;
                               expansive_on : convex_domain;
                               expansive_lowered_by : fraction;
                               expansion : fraction;
                               expansion_dependencies : dependency list;
                               expansion_certain : int list;
                               expansion_tree : tree_line list }

type pivot = { pivot_column : int; pivot_row : Big_int_Z.big_int list }

val entry_in : Big_int_Z.big_int list -> int -> Big_int_Z.big_int

val eliminate :
  Big_int_Z.big_int -> pivot -> Big_int_Z.big_int list -> Big_int_Z.big_int
  list

val leading_entry :
  int -> Big_int_Z.big_int list -> (int*Big_int_Z.big_int) option

val inverse :
  oracle -> Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int option

val add_row :
  oracle -> Big_int_Z.big_int -> int -> pivot list -> Big_int_Z.big_int list
  -> pivot list

val has_full_rank : Big_int_Z.big_int -> int -> pivot list -> bool

val first_nonzero : Big_int_Z.big_int list -> Big_int_Z.big_int option

val modulo_row :
  Big_int_Z.big_int -> Big_int_Z.big_int -> Big_int_Z.big_int list ->
  Big_int_Z.big_int list -> Big_int_Z.big_int list

val product_of_pivots :
  Big_int_Z.big_int -> int -> int -> Big_int_Z.big_int list list list ->
  Big_int_Z.big_int -> Big_int_Z.big_int

val every_choice_spans :
  oracle -> Big_int_Z.big_int -> int -> Big_int_Z.big_int list list list ->
  bool

val convex_domain_ok : int -> convex_domain -> bool

val convex_contains : convex_domain -> point -> bool

val nowhere_negative :
  convex_domain -> Big_int_Z.big_int list -> Big_int_Z.big_int -> bool

val fraction_ok : fraction -> bool

val lowered_layer_value : fraction -> layer -> point -> point

val collides :
  int -> convex_domain -> (point -> point) -> point -> point -> bool

val check_collision : network -> collision_certificate -> bool

val chosen :
  int -> 'a1 list -> multipliers -> ('a1*Big_int_Z.big_int) list ->
  ('a1*Big_int_Z.big_int) list option

val numbered : 'a1 list -> int list -> 'a1 list option

val polytope_sides :
  convex_domain -> (Big_int_Z.big_int*Big_int_Z.big_int list) list

val dependency_holds :
  fraction -> layer -> convex_domain -> dependency -> bool

val flat_sides :
  int -> convex_domain -> multipliers -> (Big_int_Z.big_int*Big_int_Z.big_int
  list) list option

val all_flat_sides :
  int -> convex_domain -> multipliers list ->
  (Big_int_Z.big_int*Big_int_Z.big_int list) list option

val leading_entries :
  Big_int_Z.big_int list -> Big_int_Z.big_int list ->
  Big_int_Z.big_int*Big_int_Z.big_int

val are_multiples : Big_int_Z.big_int list -> Big_int_Z.big_int list -> bool

val row_numbers : dependency -> int list

val numbered_row : layer -> int -> row

val numbered_entry : layer -> int -> entry

val certain_row : layer -> dependency -> entry option

val certain_rows : layer -> dependency list -> entry list option

val fixed_columns0 : int -> convex_domain -> bool list

val fixed_sides : int -> convex_domain -> entry list

val certain_entries :
  layer -> convex_domain -> full_rank_evidence -> entry list option

val is_among : int -> int list -> bool

val all_different : int list -> bool

val ways : int list list -> Big_int_Z.big_int

val most_ways : Big_int_Z.big_int

val entry_row : int -> entry -> Big_int_Z.big_int list

val with_entry :
  oracle -> layer -> Big_int_Z.big_int -> pivot list -> entry -> pivot list

val pack_spans :
  oracle -> layer -> Big_int_Z.big_int -> pivot list -> int list list -> bool

val check_node :
  oracle -> layer -> Big_int_Z.big_int -> int list list -> int -> int list ->
  entry list -> pivot list -> tree_line list -> tree_line list option

val check_tree :
  oracle -> layer -> Big_int_Z.big_int -> int list list -> entry list ->
  tree_line list -> bool

val layer_is_injective :
  oracle -> fraction -> layer -> convex_domain -> full_rank_evidence -> bool

val limits : fraction -> layer -> point -> point -> point -> bool

val check_bias_limit : network -> bias_limit_certificate -> bool

type sparse_row = { sparse_exponent : Big_int_Z.big_int;
                    sparse_constant : Big_int_Z.big_int;
                    row_terms : (int*Big_int_Z.big_int) list }

type sparse_layer = { sparse_inputs : int;
                      sparse_rows : (sparse_row*bool) list }

type sparse_network = { sparse_network_inputs : int;
                        sparse_layers : sparse_layer list }

val sparse_widths_ok : int -> sparse_layer list -> bool

val sparse_network_ok : sparse_network -> bool

val terms_onto :
  int -> Big_int_Z.big_int list -> (int*Big_int_Z.big_int) list ->
  (int*Big_int_Z.big_int) list

val sparse_row_of : row -> sparse_row

val sparse_rows_of : layer -> (sparse_row*bool) list

val union_onto : int list -> int list -> int list -> int list

val columns_read : sparse_row list -> int list

val entries_onto :
  int list -> (int*Big_int_Z.big_int) list -> Big_int_Z.big_int list ->
  Big_int_Z.big_int list option

val rows_at : int list -> sparse_row list -> row list option

val unit_rows : bool list -> row list

val part_of_point : int list -> point -> point option

val part_of_domain : int list -> domain -> domain option

val same_list : ('a1 -> 'a1 -> bool) -> 'a1 list -> 'a1 list -> bool

val same_row : row -> row -> bool

val same_layer : layer -> layer -> bool

val same_numbers : point -> point -> bool

val same_domain : domain -> domain -> bool

val mark_from : int -> int list -> bool list -> bool list

val question :
  domain -> bool list -> (sparse_row*bool) list -> bool list -> window ->
  (int list*(layer*domain)) option

val windows_from :
  oracle -> fraction -> domain -> bool list -> (sparse_row*bool) list -> int
  -> bool list -> (int*(layer*domain)) list -> window list -> bool

val windows_ok :
  oracle -> fraction -> int -> (sparse_row*bool) list -> convex_domain ->
  window list -> bool

val injective_by_evidence :
  oracle -> fraction -> layer -> convex_domain -> injectivity_evidence -> bool

val check_injective : oracle -> network -> injectivity_certificate -> bool

val check_sparse_injective :
  oracle -> sparse_network -> injectivity_certificate -> bool

type symmetric = Big_int_Z.big_int list list

val add_square :
  Big_int_Z.big_int -> Big_int_Z.big_int list -> symmetric -> symmetric

val scaled : Big_int_Z.big_int -> symmetric -> symmetric

val diagonal : Big_int_Z.big_int -> int -> symmetric

val without_factor : Big_int_Z.big_int -> symmetric -> symmetric

val semidefinite : int -> Big_int_Z.big_int -> symmetric -> bool

val free_row : layer -> convex_domain -> int -> Big_int_Z.big_int list

val no_rows : layer -> convex_domain -> fraction -> symmetric

val closes : symmetric -> bool

val with_square : fraction -> Big_int_Z.big_int list -> symmetric -> symmetric

type cases = int list*symmetric

val with_row : layer -> convex_domain -> fraction -> int -> cases -> cases

val with_rows :
  layer -> convex_domain -> fraction -> int list -> cases -> cases

val shorter :
  Big_int_Z.big_int list -> Big_int_Z.big_int list -> Big_int_Z.big_int list

val with_shortest :
  layer -> convex_domain -> fraction -> int list -> cases -> cases option

val with_all_shortest :
  layer -> convex_domain -> fraction -> int list list -> cases -> cases option

val every_choice_closes :
  layer -> convex_domain -> fraction -> int list list -> cases -> bool

val check_case :
  layer -> convex_domain -> fraction -> int list list -> int -> int list ->
  cases -> tree_line list -> tree_line list option

val unrectified_rows : layer -> int list

val bounded_below :
  layer -> convex_domain -> fraction -> int list list -> int list list ->
  tree_line list -> bool

val layer_expands : layer -> expansion_certificate -> bool

val check_expansion : network -> expansion_certificate -> bool

type layer_inputs =
| AllVectors
| TheDomain
| NonNegative
| IntervalImage

type layer_stage = { stage_inputs : layer_inputs;
                     stage_by : injectivity_evidence }

type network_evidence =
| ByStages of layer_stage list
| BySkips of int list * (int*Big_int_Z.big_int list list) list
| ByMatrix of Big_int_Z.big_int list list * region_tree
| ByOrientation of point * region_tree

type network_injectivity_certificate = { network_layers : int;
                                         network_on : convex_domain;
                                         network_by : network_evidence }

type carried = { form_carried : Big_int_Z.big_int list;
                 bound_of_rest : Big_int_Z.big_int }

val after_relu : bool -> carried -> carried

val carried_by_row : carried list option -> row -> carried

val shifted : Big_int_Z.big_int -> carried -> carried

val carried_by_layer : carried list option -> layer -> carried list

val outweighs : carried -> int option

val keeps_apart : int -> carried list -> bool

val singles_out : carried list -> Big_int_Z.big_int list -> int -> bool

val inverts : int -> carried list -> Big_int_Z.big_int list list -> bool

val blocks_ok :
  int -> int -> int list -> (int*Big_int_Z.big_int list list) list -> carried
  list option -> layer list -> bool

type quotient = Big_int_Z.big_int*Big_int_Z.big_int

type interval = quotient option*quotient option

val add_quotients : quotient -> quotient -> quotient

val less : quotient -> quotient -> bool

val times : Big_int_Z.big_int -> quotient -> quotient

val least :
  quotient -> Big_int_Z.big_int list -> interval list -> quotient option

val least_of_row :
  Big_int_Z.big_int -> interval list -> row -> quotient option

val zero : quotient

val at_least_zero : quotient -> quotient

val rectified_interval : bool -> interval -> interval

val ends_of_layer :
  layer -> (Big_int_Z.big_int -> row -> quotient option) -> interval list

val ends_by_side :
  Big_int_Z.big_int -> Big_int_Z.big_int list -> interval list

val largest0 : quotient option -> quotient option -> quotient option

val smallest : quotient option -> quotient option -> quotient option

val narrower : interval list -> interval list -> interval list

val ends_of : int -> domain -> interval list

val ball_bits : Big_int_Z.big_int

val least_on_ball :
  (Big_int_Z.big_int -> Big_int_Z.big_int) -> Big_int_Z.big_int ->
  Big_int_Z.big_int -> Big_int_Z.big_int -> row -> quotient option

type reach0 =
| InDomain of convex_domain
| InIntervals of interval list

val ends_after :
  (Big_int_Z.big_int -> Big_int_Z.big_int) -> reach0 -> layer -> interval list

val image : (interval list -> domain) -> int -> reach0 -> domain option

val symmetric_part : int -> Big_int_Z.big_int list list -> symmetric

val is_definite : int -> Big_int_Z.big_int -> symmetric -> bool

val product_with :
  int -> Big_int_Z.big_int list list -> form list -> Big_int_Z.big_int list
  list

val has_definite_map :
  int -> Big_int_Z.big_int list list -> layer_in_cell -> bool

val definite_in :
  (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int list))
  -> int -> Big_int_Z.big_int list list -> region_tree -> form list -> bool
  list list -> layer_in_cell -> bool

val check_definite :
  (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int list))
  -> int -> Big_int_Z.big_int list list -> layer list -> domain ->
  region_tree -> bool

val eliminated :
  Big_int_Z.big_int -> Big_int_Z.big_int list -> Big_int_Z.big_int list ->
  Big_int_Z.big_int list

val pivot_row0 :
  Big_int_Z.big_int list -> Big_int_Z.big_int list list -> Big_int_Z.big_int
  list

val determinant_sign :
  int -> Big_int_Z.big_int -> Big_int_Z.big_int list list -> Big_int_Z.big_int

type affine_piece = { piece_rows : form list; piece_unit : Big_int_Z.big_int;
                      piece_forms : form list }

val pieces_onto :
  (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int list))
  -> int -> region_tree -> form list -> form list -> bool list list ->
  layer_in_cell -> affine_piece list -> affine_piece list option

val form_at : point -> form -> Big_int_Z.big_int

val value_of : affine_piece -> point -> point

val is_inside0 : point -> affine_piece -> bool

val sign_of : int -> affine_piece -> Big_int_Z.big_int

val takes_only_at :
  (affine_piece -> point -> point) -> int -> point -> point -> affine_piece
  -> bool

val check_orientation :
  (form list list -> form -> int*(Big_int_Z.big_int*Big_int_Z.big_int list))
  -> (affine_piece -> point -> point) -> int -> layer list -> region_tree ->
  point -> bool

val set_of :
  (interval list -> domain) -> int -> convex_domain -> layer_inputs -> reach0
  -> layer_inputs -> convex_domain option

val known_after : layer -> layer_inputs

val reached_after :
  (Big_int_Z.big_int -> Big_int_Z.big_int) -> reach0 -> layer -> layer_stage
  list -> reach0

val not_lowered : fraction

val stages_ok :
  oracle -> (Big_int_Z.big_int -> Big_int_Z.big_int) -> (interval list ->
  domain) -> convex_domain -> layer_inputs -> reach0 -> layer list ->
  layer_stage list -> bool

val check_network_injective :
  oracle -> (form list list -> form ->
  int*(Big_int_Z.big_int*Big_int_Z.big_int list)) -> (affine_piece -> point
  -> point) -> (Big_int_Z.big_int -> Big_int_Z.big_int) -> (interval list ->
  domain) -> network -> network_injectivity_certificate -> bool
