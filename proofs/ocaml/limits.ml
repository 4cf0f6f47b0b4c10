(* What this checker does not take on, although the format allows it.  A certificate beyond a limit is rejected before the
   checker is called, and one that fills the memory while it runs. *)

(* Z is zarith's module throughout, not the one of that name in the extracted checker *)
module Integers = Z
open Checker
module Z = Integers

let largest_file = 1 lsl 31
let most_rows_or_columns = 1 lsl 16
let most_columns_with_sides = 1 lsl 14
let widest_box = 4096
let most_columns_in_a_tree = 1024
let most_dimensions = 128
let most_steps = 1 lsl 32
let most_steps_of_cases = 1 lsl 30
let most_steps_of_windows = 1 lsl 30
let most_points_of_cases = 1 lsl 14
let most_bits_of_cases = 1 lsl 16
let pivot_bits = 1 lsl 20
let denominator_bits = 1 lsl 18
let matrix_bits = 1 lsl 33
let memory_words = 1 lsl 30

exception Memory

let is_watched = ref false

(* Looks at the memory at the end of every major collection; the exception reaches the code that was allocating. *)
let watch_memory () =
  ignore (Gc.create_alarm (fun () ->
    if !is_watched && (Gc.quick_stat ()).Gc.heap_words > memory_words then begin
      is_watched := false;
      raise Memory
    end))

(* `otherwise reason` if the computation fills the memory or the stack; what it used is then given back *)
let within compute otherwise =
  is_watched := true;
  match compute () with
  | result -> is_watched := false; result
  | exception error ->
      is_watched := false;
      match error with
      | Stack_overflow -> otherwise "a number or a list is too long for the stack"
      | Out_of_memory | Memory ->
          Gc.compact ();
          otherwise "it takes more memory than this checker takes on"
      | error -> raise error

let reject = Text.reject

(* 4.8: the homogenised system has a common denominator, and on a box a matrix that grows with n^2 *)
let before_empty_margin network certificate layer =
  let lowest layer = List.fold_left (fun low (row : row) -> min low (Z.to_int row.exponent)) 0 layer.rows in
  let output =
    match certificate.about with
    | LayerOutput y -> y.denominator
    | LayerInput x -> Z.shift_left x.denominator (- lowest layer)
    | NetworkInput x ->
        let through = List.filteri (fun i _ -> i < certificate.scope_layer) network.layers in
        Z.shift_left x.denominator (- List.fold_left (fun sum layer -> sum + lowest layer) 0 through) in
  let bounds = match certificate.on with Box (lower, upper) -> Z.lcm lower.denominator upper.denominator | _ -> Z.one in
  if Z.numbits output > denominator_bits || Z.numbits (Z.lcm output bounds) > denominator_bits then
    reject "4.8" (Printf.sprintf "a common denominator of more than %d bits" denominator_bits);
  let up = List.fold_left (fun high (row : row) -> max high (Z.to_int row.exponent)) 0 layer.rows in
  if List.length layer.rows * layer.inputs * (Z.numbits output + up) > matrix_bits then
    reject "4.8" "the rows over one denominator are more than this checker takes on";
  match certificate.on with
  | Box _ when layer.inputs > widest_box -> reject "4.8" (Printf.sprintf "a box in more than %d dimensions" widest_box)
  | _ -> ()

let no_such_layer = "the network does not have this layer"

(* of a layer and a domain that are not too large *)
let within_limits inputs outputs domain =
  if inputs > most_rows_or_columns || outputs > most_rows_or_columns then
    reject "3" (Printf.sprintf "this checker takes on layers of at most %d inputs and outputs" most_rows_or_columns);
  match domain with
  | (Polyhedral (Orthant | Box _) | Ball _) when inputs > most_columns_with_sides ->
      reject "3.1" (Printf.sprintf "this checker takes on an orthant, a box or a ball in at most %d dimensions" most_columns_with_sides)
  | _ -> ()

(* the layer with this number, if it and the domain are not too large *)
let layer_within network number domain =
  match List.nth_opt network.layers (number - 1) with
  | None -> reject "3" no_such_layer
  | Some layer -> within_limits layer.inputs (List.length layer.rows) domain; layer

let before_one_layer network certificate =
  let layer = layer_within network certificate.scope_layer (Polyhedral certificate.on) in
  match certificate.claimed, certificate.proved_by with
  | Empty, [ EmptyMargin _ ] -> before_empty_margin network certificate layer
  | _ -> ()

(* 4.10, 4.11: an echelon form of n rows of n numbers, or a matrix of as many, for every case that is open *)
let before_tree network number domain =
  let layer = layer_within network number domain in
  if layer.inputs > most_columns_in_a_tree then
    reject "4.10" (Printf.sprintf "this checker takes on a tree in at most %d dimensions" most_columns_in_a_tree);
  layer

(* 4.10: for every window all columns and rows are gone through once, and the entries of its layer, unit rows among them *)
let before_windows inputs rows windows =
  let rows = Array.of_list rows in
  let steps_of { window_rows; window_by } =
    let own = List.filter_map (fun i -> if i < Array.length rows then Some (fst rows.(i)) else None) window_rows in
    let columns = List.length (columns_read own) in
    (match window_by with
     | ByItself { spanned_by = ByTree _; _ } when columns > most_columns_in_a_tree ->
         reject "4.10" (Printf.sprintf "this checker takes on a tree in at most %d dimensions" most_columns_in_a_tree)
     | _ -> ());
    inputs + Array.length rows + columns * (columns + List.length own) in
  let add steps window =
    let steps = steps + steps_of window in
    if steps > most_steps_of_windows then reject "4.10" "this checker takes on fewer windows or smaller ones";
    steps in
  ignore (List.fold_left add 0 windows)

let before_injectivity network number domain = function
  | AtOnce { spanned_by = ByTree _; _ } -> ignore (before_tree network number domain)
  | AtOnce { spanned_by = ByRank _; _ } -> ignore (layer_within network number domain)
  | ByWindows windows ->
      let layer = layer_within network number domain in
      before_windows layer.inputs (sparse_rows_of layer) windows

(* the same of a network by its terms *)
let before_sparse_injectivity network number domain windows =
  match List.nth_opt network.sparse_layers (number - 1) with
  | None -> reject "3" no_such_layer
  | Some layer ->
      let inputs = layer.sparse_inputs in
      within_limits inputs (List.length layer.sparse_rows) domain;
      before_windows inputs layer.sparse_rows windows

(* 4.14: a form of n numbers for every coefficient of a row at a coordinate that no relu follows, but for a block's first layer *)
let before_skips network certificate ends =
  let n = network.network_inputs in
  let after (number, before, steps) (layer : layer) =
    let carried (row : row) =
      List.fold_left2 (fun sum value relu -> if relu || Z.sign value = 0 then sum else sum + n) layer.inputs row.coefficients before in
    let before = if List.mem number ends then List.map (fun _ -> true) layer.rows else layer.rectified in
    (number + 1, before, List.fold_left (fun sum row -> sum + carried row) steps layer.rows) in
  let layers = List.filteri (fun i _ -> i < certificate.network_layers) network.layers in
  let _, _, steps = List.fold_left after (0, List.init n (fun _ -> true), 0) layers in
  if steps > most_steps then reject "4.14" "this checker takes on fewer layers or smaller ones"

(* 4.15: an elimination for every region, and for every cone a product with the forms of all neurons *)
let before_maps network certificate cells =
  let n = network.network_inputs in
  if n > most_dimensions then reject "4.15" (Printf.sprintf "this checker takes on at most %d dimensions" most_dimensions);
  let rec count regions cones = function
    | [] -> (regions, cones)
    | Region own :: others -> count (regions + 1) (cones + List.length own) others
    | Cut (own, _, _, off, on) :: others -> count regions (cones + List.length own) (off :: on :: others) in
  let regions, cones = count 0 0 [ cells ] in
  let layers = List.filteri (fun i _ -> i < certificate.network_layers) network.layers in
  let neurons = List.fold_left (fun sum (layer : layer) -> sum + List.length layer.rows) 0 layers in
  if regions > most_steps / (1 + n * n * n) || cones > most_steps / (1 + neurons * n) then
    reject "4.15" "this checker takes on fewer regions or smaller ones"

let before_network_injectivity network certificate =
  match certificate.network_by with
  | ByMatrix (_, cells) | ByOrientation (_, cells) -> before_maps network certificate cells
  | BySkips (ends, _) -> if network_ok network then before_skips network certificate ends
  | ByStages stages ->
      List.iteri (fun i stage ->
        let domain =
          match stage.stage_inputs with
          | AllVectors -> Polyhedral AllSpace
          | TheDomain -> certificate.network_on
          | NonNegative | IntervalImage -> Polyhedral Orthant in
        before_injectivity network (i + 1) domain stage.stage_by) stages

(* 4.11: an elimination of n columns for every node and for every choice in a pack, as many as there are at most, and a row added for
   every choice from the first of a pack's dependencies, from the first two, and so on *)
let before_expansion network certificate =
  let layer = before_tree network certificate.expansive_layer certificate.expansive_on in
  let bits = max (Z.numbits certificate.expansion.below) (Z.numbits certificate.expansion.above) in
  if layer.inputs * bits > pivot_bits then
    reject "4.11" (Printf.sprintf "pivots that may have more than %d bits are more than this checker takes on" pivot_bits);
  let sizes = Array.of_list (List.map (fun d -> float_of_int (List.length d.dependent_rows)) certificate.expansion_dependencies) in
  let columns = float_of_int layer.inputs in
  let elimination = 1. +. columns ** 3. /. 8. and addition = 1. +. columns ** 2. /. 8. in
  let steps = function
    | Pack ds ->
        let add (choices, additions) d =
          let choices = if d < Array.length sizes then choices *. sizes.(d) else choices in
          (choices, additions +. choices) in
        let choices, additions = List.fold_left add (1., 0.) ds in
        choices *. elimination +. additions *. addition
    | _ -> elimination +. addition in
  if List.fold_left (fun sum line -> sum +. steps line) elimination certificate.expansion_tree > float_of_int most_steps then
    reject "4.11" "this checker takes on fewer eliminations and rows added, or smaller ones"

(* 4.9: what the layers of the leaves may cost, and the bits that their numbers may have *)
let before_cases network certificate layers tree =
  let refuse reason = reject "4.9" reason in
  let most = List.fold_left (fun bits number -> max bits (Z.numbits number)) 0 in
  let of_point point = most (point.denominator :: point.numerators) in
  let largest choose (layer : layer) = List.fold_left (fun found (row : row) -> max found (choose row)) 0 layer.rows in
  let given = match certificate.through_about with InputOf x -> of_point x | OutputOf _ -> 0 in
  let after bits (layer : layer) =
    bits + largest (fun row -> most (row.constant :: row.coefficients)) layer + largest (fun row -> abs (Z.to_int row.exponent)) layer
    + Z.numbits (Z.of_int layer.inputs) in
  let n = network.network_inputs in
  let sides, of_domain =
    match certificate.through_on with
    | Polytope sides -> (List.length sides, List.fold_left (fun bits (b, a) -> max bits (most (b :: a))) 0 sides)
    | Box (lower, upper) -> (2 * n, max (of_point lower) (of_point upper))
    | AllSpace | Orthant -> (2 * n, 0) in
  let output = match certificate.through_about with OutputOf y -> of_point y | InputOf _ -> 0 in
  let bits = List.fold_left after (1 + given) layers in
  if max (bits + output) of_domain > most_bits_of_cases then
    refuse (Printf.sprintf "numbers that may have more than %d bits" most_bits_of_cases);
  let hidden = List.filteri (fun i _ -> i < certificate.last_layer - 1) layers in
  let neurons =
    List.fold_left (fun sum (layer : layer) -> sum + List.length (List.filter Fun.id layer.rectified)) 0 hidden in
  if n + neurons > most_rows_or_columns || List.exists (fun layer -> List.length layer.rows > most_rows_or_columns) layers then
    refuse (Printf.sprintf "this checker takes on at most %d inputs and neurons" most_rows_or_columns);
  let rows = List.fold_left (fun sum (layer : layer) -> sum + 2 * List.length layer.rows) sides layers in
  let coefficients = List.fold_left (fun sum (layer : layer) -> sum + 1 + List.length layer.rows * (1 + layer.inputs)) 0 layers in
  let too_many () = refuse "this checker takes on fewer cases or smaller ones" in
  if coefficients > most_steps_of_cases then too_many ();
  let rec count steps points = function
    | [] -> ()
    | (depth, Divide (_, _, inactive, active)) :: others -> count steps points ((depth + 1, inactive) :: (depth + 1, active) :: others)
    | (depth, Leaf (claim, _)) :: others ->
        let free = max 0 (neurons - depth) in
        let steps = steps + rows * free + coefficients * (1 + n + free) * (1 + bits / 1024) in
        let points = match claim with Empty -> points | Preimage _ -> points + 1 in
        if steps > most_steps_of_cases then too_many ();
        if points > most_points_of_cases then
          refuse (Printf.sprintf "this checker takes on at most %d cases that are not empty" most_points_of_cases);
        count steps points others in
  count 0 0 [ (0, tree) ]

(* every part as the certificate of one layer that it is; a given point is one of the network's inputs, which leads to the same
   denominators *)
let before_through network certificate =
  if List.compare_length_with network.layers certificate.last_layer < 0 then reject "3" no_such_layer;
  let layers = List.filteri (fun i _ -> i < certificate.last_layer) network.layers in
  let stages = stages_onto 1 certificate.through_on None layers [] in
  let before_part about part =
    match List.find_opt (fun stage -> stage.stage_layer = part.part_layer) stages with
    | None -> reject "4.9" (Printf.sprintf "a part for layer %d" part.part_layer)
    | Some stage ->
        before_one_layer network (part_certificate stage.stage_domain about part);
        match about, part.part_proved_by with
        | LayerOutput _, Solution input :: _ -> LayerOutput input
        | _ -> about in
  let rec before about = function
    | SecondPoint _ | Direction _ -> ()
    | Cases tree -> before_cases network certificate layers tree
    | StartingAt (x, rest) -> before (NetworkInput x) rest
    | Parts parts -> ignore (List.fold_left before_part about parts) in
  let about = match certificate.through_about with InputOf x -> NetworkInput x | OutputOf y -> LayerOutput y in
  before about certificate.through_proved_by

let before_check (network : Network_file.t) certificate =
  let dense () = Lazy.force network.dense in
  match certificate with
  | Certificate_file.OneLayer certificate -> before_one_layer (dense ()) certificate
  | Certificate_file.Through certificate -> before_through (dense ()) certificate
  | Certificate_file.Collision _ | Certificate_file.BiasLimit _ -> ()
  | Certificate_file.Injectivity { injective_layer; injective_on; injective_by = ByWindows windows; _ } ->
      before_sparse_injectivity (Lazy.force network.sparse) injective_layer injective_on windows
  | Certificate_file.Injectivity certificate ->
      before_injectivity (dense ()) certificate.injective_layer certificate.injective_on certificate.injective_by
  | Certificate_file.NetworkInjectivity certificate -> before_network_injectivity (dense ()) certificate
  | Certificate_file.Expansion certificate -> before_expansion (dense ()) certificate
