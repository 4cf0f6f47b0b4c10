(* The checker of claims about all inputs (sections 4.10 and 4.11 of FORMAT.md): two inputs with the same output, a layer that is injective
   on a domain (I1, I2, I8; window by window: WindowChecks.v), a limit of the biases at which it is (I4); for the fourth kind see
   ExpansionChecks.v.  `check_collision_sound` in CollisionSound.v, `layer_is_injective_sound` in InjectivitySound.v and
   `check_bias_limit_sound` in BiasLimitSound.v: true means that the claim holds (InjectivityClaims.v). *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors ApproximateInverse Systems Checker Echelon.
Import ListNotations.
Local Open Scope Z_scope.

(* ---------- domains, and layers with other biases ---------- *)

Definition convex_domain_ok (n : nat) (K : convex_domain) : bool :=
  match K with Polyhedral K => domain_ok n K | Ball D N => (0 <? D) && (0 <=? N) end.
Definition convex_contains (K : convex_domain) (p : point) : bool :=
  match K with
  | Polyhedral K => contains K p
  | Ball D N => D * D * dot (numerators p) (numerators p) <=? (N * denominator p) * (N * denominator p)
  end.
(* sigma.x + total is not negative at any point x of the domain; on a ball its least value is total - |sigma| N / D *)
Definition nowhere_negative (K : convex_domain) (sigma : list Z) (total : Z) : bool :=
  match K with
  | Polyhedral K =>
      match infimum K sigma with Some (numerator, denominator) => 0 <=? numerator + total * denominator | None => false end
  | Ball D N => (0 <=? total) && (N * N * dot sigma sigma <=? (D * total) * (D * total))
  end.

Definition fraction_ok (t : fraction) : bool := 0 <? below t.
(* the layer's value at a point, with t subtracted from the biases of its rectified rows *)
Definition lowered_layer_value (t : fraction) (l : layer) (p : point) : point :=
  let z := row_values l p in
  rectify l (Point (denominator z * below t)
               (tmap2 (fun v (b : bool) => v * below t - (if b then above t * denominator z else 0)) (numerators z) (rectified l))).

(* ---------- a collision ---------- *)

(* x and y are different points of the domain at which f has the same value *)
Definition collides (n : nat) (K : convex_domain) (f : point -> point) (x y : point) : bool :=
  convex_domain_ok n K && point_ok n x && point_ok n y && convex_contains K x && convex_contains K y && negb (same_point x y)
  && same_point (f x) (f y).

Definition check_collision (net : network) (c : collision_certificate) : bool :=
  network_ok net
  && match collision_in c with
     | LayerAlone number lowered_by =>
         match split_layers net number with
         | Some (_, l) =>
             fraction_ok lowered_by
             && collides (inputs l) (collision_on c) (lowered_layer_value lowered_by l) (first_input c) (second_input c)
         | None => false
         end
     | LayersThrough number =>
         match split_layers net number with
         | Some (before, l) =>
             collides (network_inputs net) (collision_on c) (value_through (tapp before [l])) (first_input c) (second_input c)
         | None => false
         end
     end.

(* ---------- dependencies ---------- *)

(* the elements with these numbers, which increase, each with its multiplier, which is positive *)
Fixpoint chosen {A : Type} (next : nat) (all : list A) (ms : multipliers) (reversed : list (A * Z)) : option (list (A * Z)) :=
  match ms, all with
  | [], _ => Some (rev_append reversed [])
  | _, [] => None
  | (j, w) :: ms', a :: all' =>
      if Nat.eqb j next then if 0 <? w then chosen (S next) all' ms' ((a, w) :: reversed) else None
      else chosen (S next) all' ms reversed
  end.
Definition numbered {A : Type} (all : list A) (numbers : list nat) : option (list A) :=
  option_map (tmap fst) (chosen 0 all (tmap (fun j => (j, 1)) numbers) []).
Definition polytope_sides (K : convex_domain) : list (Z * list Z) := match K with Polyhedral (Polytope sides) => sides | _ => [] end.

(* The sum of the rows with t subtracted, each with its multiplier, is not negative on the domain: they are not all negative at a point
   of it. *)
Definition dependency_holds (t : fraction) (l : layer) (K : convex_domain) (d : dependency) : bool :=
  match chosen 0 (tmap2 pair (rows l) (rectified l)) (dependent_rows d) [], chosen 0 (polytope_sides K) (dependent_sides d) [] with
  | Some terms, Some side_terms =>
      let rs := tmap (fun t => fst (fst t)) terms in
      let sides := tmap fst side_terms in
      let low := lowest_exponent rs in
      let ws := tmap2 (fun r w => Z.shiftl w (exponent r - low)) rs (tmap snd terms) in
      let side_ws := tmap (Z.mul (Z.shiftl 1 (- low))) (tmap snd side_terms) in
      let sigma := combination side_ws (tmap snd sides) (combination ws (tmap coefficients rs) (zeros (inputs l))) in
      let lowered := above t * Z.shiftl (sum_abs (tmap snd terms)) (- low) in
      let total := dot ws (tmap constant rs) + dot side_ws (tmap fst sides) in
      negb (Nat.eqb (size_of terms) 0) && forallb (fun t => snd (fst t)) terms
      && nowhere_negative K (tmap (Z.mul (below t)) sigma) (total * below t - lowered)
  | _, _ => false
  end.

(* The sum of these sides of a polytope is 0, so that they are equalities on it. *)
Definition flat_sides (n : nat) (K : convex_domain) (ms : multipliers) : option (list (Z * list Z)) :=
  match chosen 0 (polytope_sides K) ms [] with
  | Some terms =>
      let sides := tmap fst terms in
      let ws := tmap snd terms in
      if is_zero (combination ws (tmap snd sides) (zeros n)) && (dot ws (tmap fst sides) =? 0) then Some sides else None
  | None => None
  end.
Fixpoint all_flat_sides (n : nat) (K : convex_domain) (fs : list multipliers) : option (list (Z * list Z)) :=
  match fs with
  | [] => Some []
  | f :: fs' =>
      match flat_sides n K f, all_flat_sides n K fs' with Some sides, Some others => Some (tapp sides others) | _, _ => None end
  end.

(* the first two entries that are not both 0 *)
Fixpoint leading_entries (a b : list Z) : Z * Z :=
  match a, b with u :: a', v :: b' => if (u =? 0) && (v =? 0) then leading_entries a' b' else (u, v) | _, _ => (0, 0) end.
(* a and b are multiples of one another: both are 0, or both are not and they are parallel *)
Definition are_multiples (a b : list Z) : bool :=
  let (u, v) := leading_entries a b in
  Bool.eqb (u =? 0) (v =? 0) && forallb (fun b => b) (tmap2 (fun x y => v * x =? u * y) a b).

Definition row_numbers (d : dependency) : list nat := tmap fst (dependent_rows d).
Definition numbered_row (l : layer) (j : nat) : row := nth j (rows l) (Row 0 0 []).
Definition numbered_entry (l : layer) (j : nat) : entry := General (layer_general true (numbered_row l j)).

(* the first row of a dependency, if the others are multiples of it: it is 0 on the difference of two inputs with one output *)
Definition certain_row (l : layer) (d : dependency) : option entry :=
  match row_numbers d with
  | [] => None
  | j :: js =>
      if forallb (fun i => are_multiples (coefficients (numbered_row l j)) (coefficients (numbered_row l i))) js
      then Some (numbered_entry l j) else None
  end.
Fixpoint certain_rows (l : layer) (ds : list dependency) : option (list entry) :=
  match ds with
  | [] => Some []
  | d :: ds' => match certain_row l d, certain_rows l ds' with Some e, Some es => Some (e :: es) | _, _ => None end
  end.

(* the columns in which a box or a ball has one value *)
Definition fixed_columns (n : nat) (K : convex_domain) : list bool :=
  match K with
  | Polyhedral (Box lower upper) =>
      tmap2 (fun lo hi => lo * denominator upper =? hi * denominator lower) (numerators lower) (numerators upper)
  | Ball _ N => all_columns (N =? 0) n
  | _ => all_columns false n
  end.
Definition fixed_sides (n : nat) (K : convex_domain) : list entry := sides (System n [] (all_columns false n) (fixed_columns n K)).

(* A0: entries that are 0 on every difference of two inputs in the domain with one output *)
Definition certain_entries (l : layer) (K : convex_domain) (e : full_rank_evidence) : option (list entry) :=
  match numbered (dependencies e) (certain e), all_flat_sides (inputs l) K (flats e) with
  | Some ds, Some flat =>
      match certain_rows l ds with
      | Some es =>
          Some (tapp (tmap (fun r => General (layer_general true r)) (pick (tmap negb (rectified l)) (rows l)))
                 (tapp es (tapp (fixed_sides (inputs l) K) (tmap (fun s => General (polytope_general s)) flat))))
      | None => None
      end
  | _, _ => None
  end.

(* ---------- the tree ---------- *)

Definition is_among (j : nat) (js : list nat) : bool := existsb (Nat.eqb j) js.
Fixpoint all_different (js : list nat) : bool := match js with [] => true | j :: js' => negb (is_among j js') && all_different js' end.

(* how many ways there are to choose one from each group *)
Definition ways (groups : list (list nat)) : Z := fold_left (fun p js => fold_left (fun sum _ => sum + p) js 0) groups 1.
Definition most_ways : Z := Z.shiftl 1 26.

(* integers that say the same of a difference; without the powers of two that the entries share *)
Definition entry_row (n : nat) (e : entry) : list Z := match e with General r => odd_row (normal r) | Side j _ => unit_at n j 1 end.

Section Oracle.
Variable propose : oracle.

Section Tree.
(* the prime; the numbers of the rows of each dependency *)
Variables (l : layer) (q : Z) (groups : list (list nat)).
Let n := inputs l.

Definition with_entry (pivots : list pivot) (e : entry) : list pivot := add_row propose q n pivots (entry_row n e).

(* with one row from each group, however it is chosen, and the pivots, the rank is full *)
Definition pack_spans (pivots : list pivot) (js : list (list nat)) : bool :=
  let modulo (a : list Z) := tmap (fun u => u mod q) a in
  every_choice_spans propose q n (tapp (tmap (fun p => [pivot_row p]) pivots)
                   (tmap (tmap (fun j => modulo (entry_row n (numbered_entry l j)))) js)).

(* A node, with the lines from its own on: those that are left after it and all below it.  The rows numbered `outside` are not 0 on
   a difference of inputs with one output, the entries `inside` (the last one first) are, of which `pivots` are an echelon form. *)
Fixpoint check_node (depth : nat) (outside : list nat) (inside : list entry) (pivots : list pivot) (lines : list tree_line)
    : option (list tree_line) :=
  if has_full_rank q n pivots then Some lines
  else
    match depth, lines with
    | S depth', line :: lines =>
        let within (outside : list nat) (j : nat) (lines : list tree_line) :=
          let e := numbered_entry l j in
          check_node depth' outside (e :: inside) (with_entry pivots e) lines in
        let free := filter (fun j => negb (is_among j outside)) in
        match line with
        | Branch d =>
            match nth_error groups d with
            | Some js =>
                (fix children (outside js : list nat) (lines : list tree_line) : option (list tree_line) :=
                   match js with
                   | [] => Some lines
                   | j :: js' => match within outside j lines with Some rest => children (j :: outside) js' rest | None => None end
                   end) outside (free js) lines
            | None => None
            end
        | Split j =>
            if Nat.ltb j (size_of (rows l))
            then match check_node depth' (j :: outside) inside pivots lines with Some rest => within outside j rest | None => None end
            else None
        | Spanned r =>
            if is_among (related r) outside
               && relation_holds n (tmap (fun _ => true) inside) (rev_append inside []) (related r) (numbered_entry l (related r)) r
            then Some lines else None
        | Pack ds =>
            match numbered groups ds with
            | Some gs =>
                let gs := tmap free gs in
                if all_different (concat gs) && (ways gs <=? most_ways) && pack_spans pivots gs then Some lines else None
            | None => None
            end
        end
    | _, _ => None
    end.
Definition check_tree (inside : list entry) (lines : list tree_line) : bool :=
  match check_node (size_of lines) [] (rev_append inside []) (fold_left with_entry inside []) lines with Some [] => true | _ => false end.
End Tree.

(* ---------- an injective layer ---------- *)

Definition layer_is_injective (t : fraction) (l : layer) (K : convex_domain) (e : full_rank_evidence) : bool :=
  forallb (dependency_holds t l K) (dependencies e)
  && match certain_entries l K e with
     | Some es =>
         match spanned_by e with
         | ByRank r =>
             Nat.eqb (rank_value r) (inputs l) && (match bound_above r with ByColumns => true | _ => false end)
             && (match check_rank propose (inputs l) es r with Some _ => true | None => false end)
         | ByTree q lines => (1 <? q) && check_tree l q (tmap row_numbers (dependencies e)) es lines
         end
     | None => false
     end.
End Oracle.

(* ---------- a limit of the biases ---------- *)

(* Every row is the same at two points, or a relu follows and it is at most t at the common one. *)
Definition limits (t : fraction) (l : layer) (common first second : point) : bool :=
  let same := tmap2 (fun u v => u * denominator second =? v * denominator first) (numerators first) (numerators second) in
  let low := tmap (fun v => v * below t <=? above t * denominator common) (numerators common) in
  forallb (fun b => b) (tmap2 orb same (tmap2 andb low (rectified l))).

Definition check_bias_limit (net : network) (c : bias_limit_certificate) : bool :=
  network_ok net
  && match split_layers net (limited_layer c) with
     | Some (_, l) =>
         let good p := point_ok (inputs l) p && convex_contains (limited_on c) p in
         convex_domain_ok (inputs l) (limited_on c) && fraction_ok (bias_limit c)
         && good (common_input c) && good (first_direction c) && good (second_direction c)
         && negb (same_point (first_direction c) (second_direction c))
         && limits (bias_limit c) l (row_values l (common_input c)) (row_values l (first_direction c)) (row_values l (second_direction c))
     | None => false
     end.
