(* The checker of `claim injective` (section 4.10 of FORMAT.md): the layer at once, or window by window.  A window is a few rows; with
   the unit rows of the columns that windows before read they are a small layer on the columns that they read.
   `check_injective_sound` and `check_sparse_injective_sound` in WindowsSound.v: true means that the claim holds (InjectivityClaims.v). *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate InjectivityCertificate SparseNetwork Vectors ApproximateInverse Systems Checker InjectivityChecks.
Import ListNotations.
Local Open Scope Z_scope.

(* ---------- a window's layer and domain ---------- *)

(* the numbers in two increasing lists, increasing, each once *)
Fixpoint union_onto (a : list nat) : list nat -> list nat -> list nat :=
  fix inner (b reversed : list nat) : list nat :=
    match a, b with
    | [], _ => rev_append reversed b
    | _, [] => rev_append reversed a
    | i :: a', j :: b' =>
        if Nat.eqb i j then union_onto a' b' (i :: reversed)
        else if Nat.ltb i j then union_onto a' b (i :: reversed) else inner b' (j :: reversed)
    end.
Definition columns_read (rs : list sparse_row) : list nat :=
  fold_left (fun cs r => union_onto cs (tmap fst (row_terms r)) []) rs [].

(* the coefficients in these columns, if the terms have no others *)
Fixpoint entries_onto (cs : list nat) (ts : list (nat * Z)) (reversed : list Z) : option (list Z) :=
  match cs, ts with
  | [], [] => Some (rev_append reversed [])
  | [], _ :: _ => None
  | c :: cs', (j, v) :: ts' =>
      if Nat.eqb c j then entries_onto cs' ts' (v :: reversed) else entries_onto cs' ts (0 :: reversed)
  | _ :: cs', [] => entries_onto cs' [] (0 :: reversed)
  end.
Fixpoint rows_at (cs : list nat) (rs : list sparse_row) : option (list row) :=
  match rs with
  | [] => Some []
  | r :: rs' =>
      match entries_onto cs (row_terms r) [], rows_at cs rs' with
      | Some a, Some others => Some (Row (sparse_exponent r) (sparse_constant r) a :: others)
      | _, _ => None
      end
  end.
(* the unit rows of the columns that are marked *)
Definition unit_rows (marks : list bool) : list row :=
  let n := size_of marks in tmap (fun j => Row 0 0 (unit_at n j 1)) (pick marks (seq 0 n)).

Definition part_of_point (cs : list nat) (p : point) : option point := option_map (Point (denominator p)) (numbered (numerators p) cs).
(* what a domain allows these columns, where they are independent of the others *)
Definition part_of_domain (cs : list nat) (K : domain) : option domain :=
  match K with
  | AllSpace => Some AllSpace
  | Orthant => Some Orthant
  | Box lower upper =>
      match part_of_point cs lower, part_of_point cs upper with Some lo, Some hi => Some (Box lo hi) | _, _ => None end
  | Polytope _ => None
  end.

(* ---------- the same question twice ---------- *)

Fixpoint same_list {A : Type} (same : A -> A -> bool) (l m : list A) : bool :=
  match l, m with
  | [], [] => true
  | a :: l', b :: m' => same a b && same_list same l' m'
  | _, _ => false
  end.
Definition same_row (r s : row) : bool :=
  (exponent r =? exponent s) && (constant r =? constant s) && same_list Z.eqb (coefficients r) (coefficients s).
Definition same_layer (l m : layer) : bool :=
  Nat.eqb (inputs l) (inputs m) && same_list same_row (rows l) (rows m) && same_list Bool.eqb (rectified l) (rectified m).
Definition same_numbers (p q : point) : bool := (denominator p =? denominator q) && same_list Z.eqb (numerators p) (numerators q).
Definition same_domain (K L : domain) : bool :=
  match K, L with
  | AllSpace, AllSpace | Orthant, Orthant => true
  | Box lower upper, Box lower' upper' => same_numbers lower lower' && same_numbers upper upper'
  | _, _ => false
  end.

(* ---------- all windows ---------- *)

(* these columns marked, too, if they increase *)
Fixpoint mark_from (next : nat) (cs : list nat) (marks : list bool) : list bool :=
  match marks, cs with
  | b :: marks', c :: cs' =>
      if Nat.eqb c next then true :: mark_from (S next) cs' marks' else b :: mark_from (S next) cs marks'
  | _, _ => marks
  end.

Section Windows.
(* what the biases are lowered by; the domain, and the columns in which it has one value; the layer's rows and marks *)
Variables (propose : oracle) (t : fraction) (K : domain) (fixed : list bool) (all_rows : list (sparse_row * bool)).

(* the columns that a window reads, its layer and domain; windows before read the columns that are marked *)
Definition question (read : list bool) (w : window) : option (list nat * (layer * domain)) :=
  match numbered all_rows (window_rows w) with
  | Some rs =>
      let cs := columns_read (tmap fst rs) in
      match rows_at cs (tmap fst rs), numbered read cs, numbered fixed cs, part_of_domain cs K with
      | Some own, Some before, Some one_value, Some part =>
          let units := unit_rows (tmap2 (fun b c => b && negb c) before one_value) in
          Some (cs, (Layer (size_of cs) (tapp own units) (tapp (tmap snd rs) (tmap (fun _ => false) units)), part))
      | _, _, _, _ => None
      end
  | None => None
  end.

(* Every window determines what it reads, and in the end all columns are read or have one value. *)
Fixpoint windows_from (number : nat) (read : list bool) (proved : list (nat * (layer * domain))) (ws : list window) : bool :=
  match ws with
  | [] => forallb (fun b => b) (tmap2 orb read fixed)
  | w :: ws' =>
      match question read w with
      | Some (cs, (l, part)) =>
          let read' := mark_from 0 cs read in
          match window_by w with
          | ByItself e =>
              layer_is_injective propose t l (Polyhedral part) e && windows_from (S number) read' ((number, (l, part)) :: proved) ws'
          | AsBefore earlier =>
              existsb (fun p => Nat.eqb (fst p) earlier && same_layer (fst (snd p)) l && same_domain (snd (snd p)) part) proved
              && windows_from (S number) read' proved ws'
          end
      | None => false
      end
  end.
End Windows.

Section Oracle.
Variable propose : oracle.

Definition windows_ok (t : fraction) (n : nat) (all_rows : list (sparse_row * bool)) (K : convex_domain) (ws : list window) : bool :=
  match K with
  | Polyhedral (Polytope _) | Ball _ _ => false
  | Polyhedral K' => windows_from propose t K' (fixed_columns n K) all_rows 0 (all_columns false n) [] ws
  end.

(* ---------- an injective layer ---------- *)

Definition injective_by_evidence (t : fraction) (l : layer) (K : convex_domain) (e : injectivity_evidence) : bool :=
  match e with
  | AtOnce e => layer_is_injective propose t l K e
  | ByWindows ws => windows_ok t (inputs l) (sparse_rows_of l) K ws
  end.

Definition check_injective (net : network) (c : injectivity_certificate) : bool :=
  network_ok net
  && match split_layers net (injective_layer c) with
     | Some (_, l) =>
         convex_domain_ok (inputs l) (injective_on c) && fraction_ok (injective_lowered_by c)
         && injective_by_evidence (injective_lowered_by c) l (injective_on c) (injective_by c)
     | None => false
     end.

(* the same of a network given by its terms, window by window only *)
Definition check_sparse_injective (net : sparse_network) (c : injectivity_certificate) : bool :=
  sparse_network_ok net
  && match injective_layer c with
     | O => false
     | S number =>
         match nth_error (sparse_layers net) number, injective_by c with
         | Some l, ByWindows ws =>
             convex_domain_ok (sparse_inputs l) (injective_on c) && fraction_ok (injective_lowered_by c)
             && windows_ok (injective_lowered_by c) (sparse_inputs l) (sparse_rows l) (injective_on c) ws
         | _, _ => false
         end
     end.
End Oracle.
