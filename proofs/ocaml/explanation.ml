(* Where a certificate fails that `check` has refused.  Its parts are asked again, from the claim to the evidence, until one
   refuses too; the answer is for people and decides nothing. *)

(* Z is zarith's module throughout, not the one of that name in the extracted checker *)
module Integers = Z
open Checker
module Z = Integers

let oracle = Proposals.oracle

let wrong_length = "a bound or side of the wrong length, or bounds that cross"

let number_of_positive output = List.length (List.filter (fun value -> Big_int_Z.sign_big_int value > 0) output.numerators)

let of_preimage layer certificate given output size dimension rank active =
  match base_point layer certificate.on output given certificate.proved_by with
  | None -> ("4.1", "a solution is missing, or it is not in the domain or does not have the output")
  | Some ((point, values), rest) ->
      match rest with
      | RankOf evidence :: rest ->
          if number_of_positive output <> active then ("3.2", "ACTIVE is not the number of positive outputs")
          else if (dimension = 0) <> (size = Singleton) then ("3.2", "the cardinality does not go with the dimension")
          else
            let rows = tmap (fun row -> General row) (active_rows layer values) in
            (match check_rank oracle layer.inputs rows evidence with
             | None -> ("4.2", "the rank is not proved")
             | Some _ when evidence.rank_value <> rank -> ("4.2", "RANK of the claim is not the rank that the evidence shows")
             | Some _ when size = Singleton -> ("4.3", "no other solution is excluded")
             | Some block ->
                 match check_dimension oracle layer certificate.on point values block dimension rest with
                 | None -> ("4.5", "the dimension is not proved")
                 | Some _ -> ("4.7", "boundedness or its contrary is not proved, or evidence is left"))
      | _ -> ("4.2", "`rank` belongs here")

let of_one_layer network certificate =
  match split_layers network certificate.scope_layer with
  | None -> ("3", Limits.no_such_layer)
  | Some (before, layer) ->
      if not (domain_ok layer.inputs certificate.on) then ("3.1", wrong_length)
      else
        match subject_values network before layer certificate.about with
        | None -> ("3", "the point or output has the wrong length")
        | Some (given, output) ->
            match certificate.claimed with
            | Empty -> ("4.8", "the evidence is no contradiction")
            | Preimage (size, dimension, rank, active) -> of_preimage layer certificate given output size dimension rank active

(* of the parts from the last stage on; y: the output that the first of them speaks of *)
let rec of_parts network stages output parts =
  match stages, parts with
  | [], [] -> ("4.9", "no part says that there is no input")
  | [], _ -> ("4.9", "more parts than layers")
  | stage :: _, [] -> ("4.9", Printf.sprintf "a part for layer %d is missing" stage.stage_layer)
  | stage :: stages, part :: parts ->
      let about = match stage.stage_input with Some input -> LayerInput input | None -> LayerOutput output in
      if part.part_layer <> stage.stage_layer then ("4.9", Printf.sprintf "a part for layer %d belongs here" stage.stage_layer)
      else
        let section, reason = of_part network stage.stage_domain about part in
        if section <> "" then (section, reason)
        else
          match part.part_claim, part.part_proved_by, stage.stage_input with
          | Empty, _, _ -> ("4.9", "the claim is not empty, or parts follow the one that is")
          | Preimage (Singleton, _, _, _), Solution input :: _, _ | Preimage (Singleton, _, _, _), _, Some input ->
              of_parts network stages input parts
          | _ -> ("4.9", Printf.sprintf "the part for layer %d has to say singleton or empty" part.part_layer)

(* ("", "") if the part is proved *)
and of_part network domain about part =
  let certificate = part_certificate domain about part in
  if check_layer oracle network certificate then ("", "")
  else
    let section, reason = of_one_layer network certificate in
    (section, Printf.sprintf "part for layer %d: %s" part.part_layer reason)

let of_infinite network certificate evidence point size =
  if not (contains certificate.through_on point) then ("4.9", "the point is not in the domain, or a `solution` is missing")
  else
    match size, certificate.through_on, evidence with
    | Bounded, (AllSpace | Orthant | Polytope _), _ -> ("4.9", "a bounded set of inputs is shown in a box only")
    | _, _, SecondPoint _ when size = Unbounded -> ("4.9", "a second point does not show that the inputs are unbounded")
    | _, _, SecondPoint _ -> ("4.9", "the second point is no other input of the domain with the same output, or a row changes its sign")
    | _, _, Direction _ -> ("4.9", "the direction is 0 or leaves the domain, a row changes its sign along it, or the output changes")
    | _, _, Parts [ part ] when part.part_layer = 1 ->
        let section, reason = of_part network certificate.through_on (LayerInput point) part in
        if section <> "" then (section, reason) else ("4.9", "the part for layer 1 does not say what is claimed")
    | _, _, (Parts _ | Cases _ | StartingAt _) -> ("4.9", "one part for layer 1, `second` or `direction` belongs here")

(* the first leaf whose claim is not proved, or is none that the layer's evidence may stand for *)
let rec of_cases network before layer domain output signs tree =
  let n = network.network_inputs in
  match tree with
  | Divide (number, row, inactive, active) ->
      if number = 0 || not (has_no_sign before (number - 1) row signs) then
        Some "the row is no rectified one of a hidden layer, or its sign is known already"
      else
        let child sign = of_cases network before layer domain output (with_case_sign (number - 1) row sign signs) in
        (match child false inactive with None -> child true active | found -> found)
  | Leaf (claim, evidence) ->
      (match leaf_point oracle Proposals.reduce n before layer domain output signs claim evidence with
       | Some _ -> None
       | None ->
           let leaf = case_layer Proposals.reduce before layer n domain output signs in
           let about = LayerOutput { denominator = Z.one; numerators = List.map (fun _ -> Z.zero) leaf.rows } in
           let section, reason = of_one_layer { network_inputs = leaf.inputs; layers = [ leaf ] }
             { scope_layer = 1; on = AllSpace; about; claimed = claim; proved_by = evidence } in
           match claim with
           | Preimage ((Bounded | Unbounded | Infinite), _, _, _) -> Some "a case holds infinitely many points"
           | _ -> Some (Printf.sprintf "a case: section %s: %s" section reason))

let of_tree network before layer domain output tree =
  let signs = List.map (fun (layer : layer) -> List.map (fun _ -> None) layer.rectified) before in
  match of_cases network before layer domain output signs tree with
  | Some reason -> ("4.9", reason)
  | None -> ("4.9", "the cases do not hold as many points as are claimed, or the output is negative after a relu")

let of_through network certificate =
  match split_layers network certificate.last_layer with
  | None -> ("3", Limits.no_such_layer)
  | Some (before, layer) ->
      let through = before @ [ layer ] in
      if not (domain_ok network.network_inputs certificate.through_on) then ("3.1", wrong_length)
      else
        let fits, given =
          match certificate.through_about with
          | InputOf point -> (point_ok network.network_inputs point, Some point)
          | OutputOf output -> (point_ok (List.length layer.rows) output, None) in
        if not fits then ("3", "the point or output has the wrong length")
        else
          let output = match certificate.through_about with InputOf point -> value_through through point | OutputOf output -> output in
          match certificate.through_claimed, certificate.through_proved_by, given with
          | Inputs (_, active), _, _ when number_of_positive output <> active -> ("3.2", "ACTIVE is not the number of positive outputs")
          | (NoInput | Inputs (Singleton, _)), Parts parts, _ ->
              of_parts network (stages_onto 1 certificate.through_on given through []) output parts
          | FiniteInputs (_, active), _, _ when number_of_positive output <> active -> ("3.2", "ACTIVE is not the number of positive outputs")
          | (NoInput | Inputs (Singleton, _) | FiniteInputs _), Cases tree, _ ->
              of_tree network before layer certificate.through_on output tree
          | (NoInput | Inputs (Singleton, _)), _, _ -> ("4.9", "parts or `cases` belong here")
          | FiniteInputs _, _, _ -> ("4.9", "`cases` belongs here")
          | Inputs _, StartingAt _, Some point when contains certificate.through_on point ->
              ("4.9", "no `solution` belongs here, for the point lies in the domain")
          | Inputs (size, _), StartingAt (point, evidence), _ ->
              if point_ok network.network_inputs point && same_point (value_through through point) output then
                of_infinite network certificate evidence point size
              else ("4.9", "the solution does not have the output")
          | Inputs (size, _), evidence, Some point -> of_infinite network certificate evidence point size
          | Inputs _, _, None -> ("4.9", "infinitely many inputs are shown from one of them, not from an output")

let of_collision network certificate =
  let of_inputs width f =
    let first = certificate.first_input and second = certificate.second_input in
    if not (convex_domain_ok width certificate.collision_on) then ("3.1", wrong_length)
    else if not (point_ok width first && point_ok width second) then ("4.10", "a point has the wrong length")
    else if not (convex_contains certificate.collision_on first && convex_contains certificate.collision_on second) then
      ("4.10", "a point is not in the domain")
    else if same_point first second then ("4.10", "the two points are equal")
    else if not (same_point (f first) (f second)) then ("4.10", "the two points have different outputs")
    else ("4.10", "this is no collision") in
  let number = match certificate.collision_in with LayerAlone (number, _) | LayersThrough number -> number in
  match split_layers network number, certificate.collision_in with
  | None, _ -> ("3", Limits.no_such_layer)
  | Some (_, layer), LayerAlone (_, lowered_by) -> of_inputs layer.inputs (lowered_layer_value lowered_by layer)
  | Some (before, layer), LayersThrough _ -> of_inputs network.network_inputs (value_through (before @ [ layer ]))

(* the first of the dependencies that is not proved *)
let unproved lowered_by layer domain dependencies =
  let rec from number = function
    | [] -> None
    | dependency :: others -> if dependency_holds lowered_by layer domain dependency then from (number + 1) others else Some number in
  from 0 dependencies

let of_full_rank lowered_by layer domain evidence =
  match unproved lowered_by layer domain evidence.dependencies, certain_entries layer domain evidence, evidence.spanned_by with
  | Some number, _, _ -> Printf.sprintf "dependency %d is not one of rectified rows, or not proved" number
  | None, None, _ -> "`certain` names rows that are not multiples of one another, or sides of a `flat` do not add up to 0"
  | None, Some _, ByRank _ -> "the rank of the certain rows is not proved to be the number of inputs"
  | None, Some _, ByTree _ -> "a case of the tree is not closed, or lines are left"

(* rows: all of a layer with their marks *)
let of_windows lowered_by inputs rows domain windows =
  match domain with
  | Ball _ | Polyhedral (Polytope _) -> "windows are for a domain whose coordinates are independent"
  | Polyhedral own ->
      (* `fixed_columns` of InjectivityChecks.v *)
      let fixed = fixed_columns0 inputs domain in
      let rec from number read proved = function
        | [] -> "the windows do not read all inputs"
        | window :: windows ->
            let of_window = Printf.sprintf "window %d: %s" number in
            match question own fixed rows read window with
            | None -> of_window "its rows are not increasing, or one is beyond the last"
            | Some (columns, (layer, part)) ->
                let next = from (number + 1) (mark_from 0 columns read) in
                let is_same (earlier, (layer', part')) =
                  window.window_by = AsBefore earlier && same_layer layer' layer && same_domain part' part in
                match window.window_by with
                | ByItself evidence when layer_is_injective oracle lowered_by layer (Polyhedral part) evidence ->
                    next ((number, (layer, part)) :: proved) windows
                | ByItself evidence -> of_window (of_full_rank lowered_by layer (Polyhedral part) evidence)
                | AsBefore _ when List.exists is_same proved -> next proved windows
                | AsBefore _ -> of_window "it is not the question of a window before that has evidence" in
      from 0 (all_columns false inputs) [] windows

let of_layer_injectivity lowered_by layer domain evidence =
  if not (convex_domain_ok layer.inputs domain) then ("3.1", wrong_length)
  else
    match evidence with
    | AtOnce evidence -> ("4.10", of_full_rank lowered_by layer domain evidence)
    | ByWindows windows -> ("4.10", of_windows lowered_by layer.inputs (sparse_rows_of layer) domain windows)

let of_injectivity network { injective_layer; injective_on; injective_lowered_by; injective_by } =
  match split_layers network injective_layer with
  | None -> ("3", Limits.no_such_layer)
  | Some (_, layer) -> of_layer_injectivity injective_lowered_by layer injective_on injective_by

let of_sparse_injectivity network { injective_layer; injective_on; injective_lowered_by; _ } windows =
  match List.nth_opt network.sparse_layers (injective_layer - 1) with
  | None -> ("3", Limits.no_such_layer)
  | Some layer ->
      let inputs = layer.sparse_inputs in
      if not (convex_domain_ok inputs injective_on) then ("3.1", wrong_length)
      else ("4.10", of_windows injective_lowered_by inputs layer.sparse_rows injective_on windows)

(* of the layers from this one on, with what is known of what reaches it *)
let rec of_stages domain known reached number layers stages =
  match layers, stages with
  | layer :: layers, stage :: stages ->
      (match set_of Proposals.domain_of layer.inputs domain known reached stage.stage_inputs with
       | None -> ("4.14", Printf.sprintf "this set is not one that may be named for layer %d" number)
       | Some set ->
           if injective_by_evidence oracle not_lowered layer set stage.stage_by then
             of_stages domain (known_after layer) (reached_after Proposals.root_above reached layer stages) (number + 1) layers stages
           else
             let section, reason = of_layer_injectivity not_lowered layer set stage.stage_by in
             (section, Printf.sprintf "layer %d: %s" number reason))
  | _ -> ("4.14", "there are not as many stages as layers")

let of_network_injectivity network certificate =
  match split_layers network certificate.network_layers with
  | None -> ("3", Limits.no_such_layer)
  | Some (before, layer) ->
      if not (convex_domain_ok network.network_inputs certificate.network_on) then ("3.1", wrong_length)
      else
        match certificate.network_by with
        | ByStages stages -> of_stages certificate.network_on TheDomain (InDomain certificate.network_on) 1 (before @ [ layer ]) stages
        | ByOrientation _ ->
            ("4.15", "determinants differ in sign, the point is in no region or its value is taken elsewhere, or a sign does not follow")
        | ByMatrix _ ->
            ("4.15", "a product with Q is not positive definite, a sign in a cell does not follow from its cones, or Q has another size")
        | BySkips _ -> ("4.14", "a block does not keep its inputs apart, or the last one does not end with the last layer")

let of_bias_limit network certificate =
  match split_layers network certificate.limited_layer with
  | None -> ("3", Limits.no_such_layer)
  | Some (_, layer) ->
      let domain = certificate.limited_on in
      let points = [ certificate.common_input; certificate.first_direction; certificate.second_direction ] in
      if not (convex_domain_ok layer.inputs domain) then ("3.1", wrong_length)
      else if not (List.for_all (point_ok layer.inputs) points) then ("4.11", "a point has the wrong length")
      else if not (List.for_all (convex_contains domain) points) then ("4.11", "a point is not in the domain")
      else if same_point certificate.first_direction certificate.second_direction then ("4.11", "the points u and v are the same")
      else ("4.11", "a row is above the limit at x*, or not rectified, and differs between u and v")

let of_expansion network certificate =
  match split_layers network certificate.expansive_layer with
  | None -> ("3", Limits.no_such_layer)
  | Some (_, layer) ->
      let domain = certificate.expansive_on in
      if not (convex_domain_ok layer.inputs domain) then ("3.1", wrong_length)
      else
        match unproved certificate.expansive_lowered_by layer domain certificate.expansion_dependencies with
        | Some number -> ("4.10", Printf.sprintf "dependency %d is not one of rectified rows, or not proved" number)
        | None -> ("4.11", "`certain` names rows that are not multiples of one another or stand there twice, a case is not closed, or lines are left")

(* "section N: reason" *)
let of_refusal (network : Network_file.t) certificate =
  let dense () = Lazy.force network.dense in
  let section, reason =
    match certificate with
    | Certificate_file.OneLayer certificate -> of_one_layer (dense ()) certificate
    | Certificate_file.Through certificate -> of_through (dense ()) certificate
    | Certificate_file.Collision certificate -> of_collision (dense ()) certificate
    | Certificate_file.Injectivity ({ injective_by = ByWindows windows; _ } as certificate) ->
        of_sparse_injectivity (Lazy.force network.sparse) certificate windows
    | Certificate_file.Injectivity certificate -> of_injectivity (dense ()) certificate
    | Certificate_file.BiasLimit certificate -> of_bias_limit (dense ()) certificate
    | Certificate_file.Expansion certificate -> of_expansion (dense ()) certificate
    | Certificate_file.NetworkInjectivity certificate -> of_network_injectivity (dense ()) certificate in
  Printf.sprintf "section %s: %s" section reason
